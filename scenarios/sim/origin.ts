import { OriginRest, type ReadFailure } from '../../src/pull/origin-rest.ts'
import { pieceCount, pieceSpan } from '../../src/swarm/pieces.ts'
import type { OriginSpec } from '../scenario.ts'
import { randomOf } from '../random.ts'
import type { SimHost } from './host.ts'
import type { Flow } from './network.ts'
import type { SimPart } from './part.ts'
import type { World } from './world.ts'

/** Where nobody else could ask a 429 is waited out so often, and as long as it began no longer ago: `src/origin/registry-http`, in milliseconds. */
const MAX_ATTEMPTS = 3
const RETRY_MS = 3_000
/** TCP and TLS before the first request of a host. */
const CONNECT_ROUND_TRIPS = 2
/** How often is told what was sent: less than any step of a series, in milliseconds. */
const NOTE_MS = 10
/** What the registry needs to answer, in milliseconds. */
const ANSWER_MS = 2

/** A read from the origin. */
export interface Reading {
  /** Whether bytes come now. */
  readonly isMoving: boolean
  /** Nothing is wanted of it from this piece on. */
  shorten (end: number): void
  /** Nothing more of it is wanted. */
  stop (): void
}

/** The registry: a link that all reads share, an answer after a round trip, times in which it is not there. */
export class SimOrigin {
  readonly #world: () => World
  readonly #spec: OriginSpec | undefined
  readonly #random: () => number
  readonly #open = new Set<OriginReading>()
  #isNoteDue = false
  /** How those whose reads have failed leave it alone. */
  readonly #rests = new Map<SimHost, OriginRest>()

  constructor (world: () => World, spec: OriginSpec | undefined, seed: number) {
    this.#world = world
    this.#spec = spec
    this.#random = randomOf(seed, 'origin')
  }

  get exists (): boolean {
    return this.#spec !== undefined
  }

  get hasRanges (): boolean {
    return this.#spec?.hasRanges ?? true
  }

  /** Whether a host reaches it now. */
  isReachable (host: SimHost): boolean {
    const { clock, wire } = this.#world()
    const { nowMs } = clock
    if (this.#spec === undefined || wire.isCut(host.group.name, 'origin')) return false
    return !this.#spec.outages.some(({ fromMs, toMs }) => nowMs >= fromMs && nowMs < toMs)
  }

  /** Plans the outages. */
  start (): void {
    const { clock, observer } = this.#world()
    for (const { fromMs, toMs } of this.#spec?.outages ?? []) {
      clock.at(fromMs, () => {
        observer.event({ atMs: clock.nowMs, type: 'origin-down', host: null, detail: '' })
        for (const reading of [...this.#open]) reading.fail()
      })
      if (toMs < Infinity) clock.at(toMs, () => { observer.event({ atMs: clock.nowMs, type: 'origin-up', host: null, detail: '' }) })
    }
  }

  /** Reads the pieces `start` (inclusive) to `end` (exclusive) of a blob. */
  read (part: SimPart, { start, end }: { readonly start: number, readonly end: number }): Reading {
    const reading = new OriginReading(this.#world(), this, part, start, end)
    if (this.#open.size === 0) this.#noteSoon()
    this.#open.add(reading)
    const { clock } = this.#world()
    clock.after(this.askMs(part.host), () => { reading.answered() })
    return reading
  }

  /** Asks for something small, such as which manifest a tag is. @param onAnswer - told whether it came */
  ask (host: SimHost, onAnswer: (isThere: boolean) => void): void {
    const { clock } = this.#world()
    const { life } = host
    clock.after(this.askMs(host), () => { if (host.life === life) onAnswer(this.isReachable(host) && !this.rejects(host)) })
  }

  /** From a question until the head of its answer is here, in milliseconds. */
  askMs (host: SimHost): number {
    const roundTripMs = 2 * this.#world().wire.originLatencyMs(host.group)
    const connectMs = host.isOriginConnected ? 0 : CONNECT_ROUND_TRIPS * roundTripMs
    host.isOriginConnected = true
    return connectMs + roundTripMs + ANSWER_MS
  }

  /** Whether it answers 429 to this host's question. Any answer is counted. */
  rejects (host: SimHost): boolean {
    const { clock, observer } = this.#world()
    observer.originAnswered(0, clock.nowMs)
    if (this.#spec === undefined || this.#spec.rejectShare === 0 || this.#random() >= this.#spec.rejectShare) return false
    observer.event({ atMs: clock.nowMs, type: 'origin-rejected', host: host.name, detail: '429' })
    return true
  }

  get retryAfterMs (): number {
    return this.#spec?.retryAfterMs ?? 0
  }

  /** Another read has failed. @returns how long the host leaves it alone, in milliseconds */
  failed (host: SimHost, failure: ReadFailure): number {
    if (failure.isLimited !== true) host.isOriginConnected = false
    const rest = this.#rests.get(host) ?? new OriginRest()
    this.#rests.set(host, rest)
    return rest.failed(failure, this.#world().clock.nowMs)
  }

  /** Whether it has sent this host away for a moment only. */
  isBackSoon (host: SimHost): boolean {
    return this.#rests.get(host)?.isBackSoon(this.#world().clock.nowMs) === true
  }

  #noteSoon (): void {
    if (this.#isNoteDue) return
    this.#isNoteDue = true
    this.#world().clock.after(NOTE_MS, () => {
      this.#isNoteDue = false
      for (const reading of this.#open) reading.note()
      if (this.#open.size > 0) this.#noteSoon()
    })
  }

  /** A read has come to its end. */
  ended (reading: OriginReading, { isWell }: { readonly isWell: boolean }): void {
    this.#open.delete(reading)
    if (isWell) this.#rests.get(reading.part.host)?.succeeded()
  }
}

class OriginReading implements Reading {
  readonly part: SimPart
  readonly #world: World
  readonly #origin: SimOrigin
  readonly #start: number
  #end: number
  #flow: Flow | undefined
  #bytes = 0
  /** Of these the observer has heard. */
  #told = 0
  readonly #beganMs: number
  readonly #hasOthers: boolean
  #attempts = 0
  #hasSent = false
  #isOver = false

  constructor (world: World, origin: SimOrigin, part: SimPart, start: number, end: number) {
    this.#world = world
    this.#origin = origin
    this.part = part
    this.#start = start
    this.#end = end
    this.#beganMs = world.clock.nowMs
    this.#hasOthers = part.session.members.size > 0
  }

  get isMoving (): boolean {
    return (this.#flow?.rate ?? 0) > 0
  }

  /** The head of the answer is here. */
  answered (): void {
    if (this.#isOver) return
    const { host, layer } = this.part
    if (!this.#origin.isReachable(host)) this.fail()
    else if (this.#origin.rejects(host)) this.#rejected()
    else {
      const pieces = pieceCount(layer.bytes)
      const isWhole = !this.#origin.hasRanges && pieces > 1
      if (isWhole) {
        this.part.wholeComes()
        this.#end = pieces
      }
      this.#send(isWhole ? 0 : this.#start)
    }
  }

  /** @param retryAfterMs - that it asks to be left alone */
  fail (retryAfterMs = 0): void {
    if (this.#isOver) return
    this.#finish(this.#world.clock.nowMs + this.#origin.failed(this.part.host, { isCut: this.#hasSent, retryAfterMs }))
  }

  shorten (end: number): void {
    this.#end = Math.min(this.#end, end)
  }

  stop (): void {
    this.#finish(0)
  }

  /** Tells what was sent since it was told last. */
  note (): void {
    if (this.#flow === undefined) return
    const { clock } = this.#world
    this.#tell(Math.floor(this.#bytes - this.#flow.leftAt(clock.nowMs)))
  }

  /** Who has others leaves it to them. Alone a short wait is no failure. */
  #rejected (): void {
    const { clock } = this.#world
    const { retryAfterMs } = this.#origin
    if (this.#hasOthers) {
      this.#finish(clock.nowMs + this.#origin.failed(this.part.host, { isCut: false, retryAfterMs, isLimited: true }))
      return
    }
    if (++this.#attempts === MAX_ATTEMPTS || clock.nowMs + retryAfterMs > this.#beganMs + RETRY_MS) this.fail(retryAfterMs)
    else clock.after(retryAfterMs + this.#origin.askMs(this.part.host), () => { this.answered() })
  }

  #send (piece: number): void {
    if (this.#isOver) return
    const { host, layer } = this.part
    const { clock, wire } = this.#world
    if (piece >= this.#end) {
      clock.after(wire.originLatencyMs(host.group), () => { this.#finish(0) })
      return
    }
    const { start, end } = pieceSpan(layer.bytes, piece)
    this.#bytes = end - start
    this.#told = 0
    this.#flow = this.#world.download(host, this.#bytes, () => {
      this.#flow = undefined
      this.#tell(this.#bytes)
      this.#hasSent = true
      clock.after(wire.originLatencyMs(host.group), () => {
        if (host.isUp && host.parts.get(layer.name) === this.part) this.part.originGave(piece, end - start)
      })
      this.#send(piece + 1)
    })
  }

  /** @param sent - of the piece on its way, by now */
  #tell (sent: number): void {
    const { clock, observer } = this.#world
    if (sent <= this.#told) return
    observer.originSent(sent - this.#told, clock.nowMs)
    this.#told = sent
  }

  #finish (retryAtMs: number): void {
    if (this.#isOver) return
    this.#isOver = true
    const { clock, observer, network } = this.#world
    if (this.#flow !== undefined) {
      const sent = Math.round(this.#bytes - network.end(this.#flow))
      this.#tell(sent)
      observer.inVain(this.part.host.name, sent, clock.nowMs)
      this.#flow = undefined
    }
    this.#origin.ended(this, { isWell: retryAtMs === 0 })
    if (this.part.host.isUp) this.part.readEnded(this.#start, this.#end, retryAtMs)
  }
}
