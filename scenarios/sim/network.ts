import type { SimClock } from './clock.ts'

/** A network of so many pipes is settled at once, however often a change goes from one to another. */
const SMALL_PIPES = 200
/**
 * A flow keeps its pace while the fair one differs by less than this part: it would change at each event otherwise. The differences
 * of all flows of a pipe may add up at the one that has what these leave.
 */
const TOLERANCE = 0.01
const SMALL_TOLERANCE = 0.0005
/** A larger one pipe by pipe, each at most so often, in milliseconds: a piece takes some hundred times as long. */
const SETTLE_MS = 3
/** Steps of settling a small one; what is not settled then, as paces go to and fro, is so with the next change. */
const MAX_STEPS = 1000
/** Bytes that count as none. */
const NOTHING = 1e-3

/** What limits flows: one direction of a link, all of the air. */
export interface Pipe {
  /** Bytes per millisecond; Infinity: no limit; 0: nothing passes. */
  readonly rate: number
  /** Flows that pass it now. */
  readonly count: number
  /** Part of its rate that is in use, 0 to 1. */
  readonly load: number
}

/** How often a flow takes a pipe's bytes for each of its own: twice the air from laptop to laptop. */
export interface Passage {
  readonly pipe: Pipe
  readonly weight: number
}

/** Bytes on their way. */
export interface Flow {
  /** Bytes per millisecond. */
  readonly rate: number
  /** Bytes that have not passed. */
  leftAt (nowMs: number): number
}

class SimPipe implements Pipe {
  rate: number
  readonly flows: SimFlow[] = []
  /** What each flow may have that nothing else holds back, in bytes per millisecond. */
  level: number
  isQueued = false

  constructor (rate: number) {
    this.rate = rate
    this.level = rate
  }

  get count (): number {
    return this.flows.length
  }

  get load (): number {
    if (this.rate === Infinity) return 0
    let used = 0
    for (const flow of this.flows) used += flow.rate * flow.weightOn(this)
    return this.rate === 0 ? 1 : used / this.rate
  }
}

class SimFlow implements Flow {
  readonly pipes: readonly SimPipe[]
  readonly weights: readonly number[]
  /** What the flow reaches by itself, as packets are lost. */
  readonly cap: number
  readonly onDone: () => void
  readonly fire: () => void
  left: number
  rate = 0
  sinceMs: number
  isOver = false
  dueMs = Infinity
  /** The next time at which `fire` is called. */
  plannedMs = Infinity

  constructor (init: { passages: readonly Passage[], bytes: number, cap: number, nowMs: number, onDone: () => void, fire: (flow: SimFlow) => void }) {
    this.pipes = init.passages.map(({ pipe }) => pipe as SimPipe)
    this.weights = init.passages.map(({ weight }) => weight)
    this.left = init.bytes
    this.cap = init.cap
    this.sinceMs = init.nowMs
    this.onDone = init.onDone
    this.fire = () => { init.fire(this) }
  }

  leftAt (nowMs: number): number {
    return Math.max(0, this.left - this.rate * (nowMs - this.sinceMs))
  }

  weightOn (pipe: SimPipe): number {
    const { pipes } = this
    for (let index = 0; index < pipes.length; index++) if (pipes[index] === pipe) return this.weights[index] as number
    return 0
  }

  /** What all but one of its pipes let pass. */
  boundBut (pipe: SimPipe): number {
    const { pipes } = this
    let bound = this.cap
    for (let index = 0; index < pipes.length; index++) {
      const other = pipes[index] as SimPipe
      if (other !== pipe && other.level < bound) bound = other.level
    }
    return bound
  }
}

/**
 * Links shared by flows: max-min fair, each pipe evenly among those that pass it, and what some cannot use goes to the others.
 * A change spreads from pipe to pipe until paces hardly differ any more, so it costs the neighbourhood and not the
 * whole network (the distributed computation of Charny, Clark and Jain 1995).
 */
export class SimNetwork {
  readonly #clock: SimClock
  /** Pipes whose flows are others, or whose rate is. */
  #changed: SimPipe[] = []
  /** Pipes whose flows have got other paces elsewhere. */
  #affected: SimPipe[] = []
  #pipes = 0
  #tolerance = SMALL_TOLERANCE
  #isSettleDue = false

  /** Takes over the clock's `onEvent`. */
  constructor (clock: SimClock) {
    this.#clock = clock
    clock.onEvent = () => { if (this.#changed.length > 0 || (this.#affected.length > 0 && !this.#isSettleDue)) this.#settleChanged() }
  }

  /** @param rate - bytes per millisecond */
  add (rate: number): Pipe {
    if (++this.#pipes > SMALL_PIPES) this.#tolerance = TOLERANCE
    return new SimPipe(rate)
  }

  setRate (pipe: Pipe, rate: number): void {
    const one = pipe as SimPipe
    one.rate = rate
    this.#queue(one)
  }

  /** @param cap - bytes per millisecond that the flow reaches by itself */
  begin (passages: readonly Passage[], bytes: number, onDone: () => void, cap = Infinity): Flow {
    const flow = new SimFlow({ passages, bytes, cap, nowMs: this.#clock.nowMs, onDone, fire: flow => { this.#due(flow) } })
    for (const pipe of flow.pipes) {
      pipe.flows.push(flow)
      this.#queue(pipe)
    }
    if (flow.pipes.length === 0) this.#setRate(flow, cap)
    return flow
  }

  /** Nothing more of it comes. @returns the bytes that had not passed */
  end (flow: Flow): number {
    const one = flow as SimFlow
    if (one.isOver) return 0
    one.left = one.leftAt(this.#clock.nowMs)
    one.isOver = true
    one.rate = 0
    for (const pipe of one.pipes) {
      const last = pipe.flows.pop()
      const index = last === one ? -1 : pipe.flows.indexOf(one)
      if (index !== -1 && last !== undefined) pipe.flows[index] = last
      this.#queue(pipe)
    }
    return one.left
  }

  #due (flow: SimFlow): void {
    const { nowMs } = this.#clock
    if (flow.isOver || flow.plannedMs > nowMs) return
    flow.plannedMs = Infinity
    if (flow.leftAt(nowMs) > NOTHING) {
      this.#plan(flow)
      return
    }
    this.end(flow)
    flow.onDone()
  }

  #queue (pipe: SimPipe): void {
    if (pipe.isQueued) return
    pipe.isQueued = true
    this.#changed.push(pipe)
  }

  /** What has changed is settled at once, so that no pipe carries more than it can; what others gain or lose by it, soon. */
  #settleChanged (): void {
    const changed = this.#changed
    this.#changed = []
    for (const pipe of changed) this.#settle(pipe)
    if (this.#pipes <= SMALL_PIPES) {
      for (let steps = 0; steps < MAX_STEPS && this.#affected.length > 0; steps++) this.#settleAffected()
    } else if (!this.#isSettleDue && this.#affected.length > 0) {
      this.#isSettleDue = true
      this.#clock.after(SETTLE_MS, () => {
        this.#isSettleDue = false
        this.#settleAffected()
      })
    }
  }

  #settleAffected (): void {
    const affected = this.#affected
    this.#affected = []
    for (const pipe of affected) this.#settle(pipe)
  }

  #settle (pipe: SimPipe): void {
    pipe.isQueued = false
    const { flows } = pipe
    const bounds = boundsOf(pipe)
    pipe.level = levelOf(pipe, bounds)
    for (let index = 0; index < flows.length; index++) this.#pace(flows[index] as SimFlow, pipe, Math.min(pipe.level, bounds[index] as number))
  }

  #pace (flow: SimFlow, pipe: SimPipe, rate: number): void {
    const before = flow.rate
    if (Math.abs(rate - before) <= this.#tolerance * before) return
    this.#setRate(flow, rate)
    for (const other of flow.pipes) {
      // a pipe at which the flow had its fair share, and has it still, gives the others no more and no less
      if (other === pipe || other.isQueued || (rate >= other.level && before >= other.level)) continue
      other.isQueued = true
      this.#affected.push(other)
    }
  }

  #setRate (flow: SimFlow, rate: number): void {
    const { nowMs } = this.#clock
    flow.left = flow.leftAt(nowMs)
    flow.sinceMs = nowMs
    flow.rate = rate
    this.#plan(flow)
  }

  /** An end that comes later than planned is found out when the plan is due. */
  #plan (flow: SimFlow): void {
    flow.dueMs = flow.rate === 0 ? Infinity : flow.sinceMs + flow.left / flow.rate
    if (flow.dueMs >= flow.plannedMs || flow.dueMs === Infinity) return
    flow.plannedMs = flow.dueMs
    this.#clock.at(flow.dueMs, flow.fire)
  }
}

/** Of the flows of the pipe that is looked at. */
let lastBounds = new Float64Array(64)
let lastWeights = new Float64Array(64)

/** What other pipes let each flow of this one have: there until the next pipe is looked at. */
function boundsOf (pipe: SimPipe): Float64Array {
  const { flows } = pipe
  if (flows.length > lastBounds.length) lastBounds = new Float64Array(2 * flows.length)
  for (let index = 0; index < flows.length; index++) lastBounds[index] = (flows[index] as SimFlow).boundBut(pipe)
  return lastBounds
}

/** Where the pipe's flows together take all of it, none having more than this, or than others let it have. */
function levelOf (pipe: SimPipe, bounds: Float64Array): number {
  const { rate, flows } = pipe
  const count = flows.length
  if (rate === Infinity || count === 0) return rate
  if (count > lastWeights.length) lastWeights = new Float64Array(2 * count)
  const weights = lastWeights
  let open = 0
  for (let index = 0; index < count; index++) {
    const weight = (flows[index] as SimFlow).weightOn(pipe)
    weights[index] = weight
    open += weight
  }
  let level = rate / open
  // each round settles those that others hold below the level, which raises it for the rest
  for (;;) {
    let heldBytes = 0
    let heldWeight = 0
    let most = 0
    for (let index = 0; index < count; index++) {
      const bound = bounds[index] as number
      if (bound >= level) continue
      const weight = weights[index] as number
      heldBytes += bound * weight
      heldWeight += weight
      if (bound > most) most = bound
    }
    const left = rate - heldBytes
    // all are held back elsewhere: any of them may have what is left
    if (open - heldWeight < 1e-9) return most + left
    const next = left / (open - heldWeight)
    if (next <= level * (1 + 1e-9)) return level
    level = next
  }
}
