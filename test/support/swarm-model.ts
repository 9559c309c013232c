import type { OriginPolicy } from '../../src/swarm/origin-plan.ts'
import { pieceSpan } from '../../src/swarm/pieces.ts'
import type { Decision, RejectReason } from '../../src/swarm/session.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { ModelClock } from './model-clock.ts'
import { ModelHost, requestKey, type ModelHostInit } from './model-host.ts'
import { ModelMeshes } from './model-meshes.ts'
import { ModelLinks } from './model-links.ts'
import { ModelOrigin } from './model-origin.ts'
import { ModelWire, type ModelWireInit } from './model-wire.ts'

/** The agent decides so often, and soon after each fact, in milliseconds. */
const TICK_MS = 50
const DECIDE_DELAY_MS = 1
/** It waits so long for the neighbours' answers before it asks the origin. */
const GRACE_MS = 30
/** The others see a host's death so late. */
const DEATH_SEEN_MS = 5
const HAVE_INTERVAL_MS = 20
const RARE_INTERVAL_MS = 5
const DEFAULT_LIMIT_MS = 600_000
const SESSION = 'blob'

export interface SwarmModelInit extends ModelWireInit {
  /** Bytes of the blob. */
  readonly size: number
  readonly hosts: readonly ModelHostInit[]
  /** Bytes per millisecond of all hosts together; without it there is no origin. */
  readonly origin?: number
  /** The origin sends all of the blob, whatever is asked. @default false */
  readonly knowsNoRanges?: boolean
  /** @default 'frugal' */
  readonly policy?: OriginPolicy
  readonly limitMs?: number
  /** Members of a host at the most; then all know but the first host at the start. @default all know and join all */
  readonly degree?: number
  /** Looks at a host whenever it has decided. */
  readonly check?: (host: ModelHost) => void
}

/**
 * A swarm in memory and in simulated time: hosts with links of their own run the real sessions and upload queues by the rules
 * of docs/protocol.md. Messages between two hosts keep their order. The same for the same seed.
 */
export class SwarmModel {
  readonly hosts: readonly ModelHost[]
  /** Pieces that came from a host of another zone, by the zone that they came into. */
  readonly crossingsInto = new Map<string | undefined, number>()
  readonly #init: SwarmModelInit
  readonly #clock = new ModelClock()
  readonly #links = new ModelLinks(this.#clock)
  readonly #origin: ModelOrigin | undefined
  readonly #byId = new Map<string, ModelHost>()
  readonly #wire: ModelWire
  readonly #meshes: ModelMeshes | undefined

  constructor (init: SwarmModelInit) {
    this.#init = init
    this.#wire = new ModelWire(this.#clock, init)
    this.#meshes = init.degree === undefined
      ? undefined
      : new ModelMeshes({ clock: this.#clock, wire: this.#wire, join: (from, to) => { this.#join(from, to) } }, { degree: init.degree, random: () => this.#wire.random() })
    const { size, origin, policy = 'frugal', knowsNoRanges = false } = init
    this.#origin = origin === undefined
      ? undefined
      : new ModelOrigin({ clock: this.#clock, links: this.#links }, {
        onPiece: (host, piece) => { this.#arrived(host, piece, undefined) },
        onWhole: host => { this.#takeWhole(host) },
        onEnded: (host, start, end) => { this.#readEnded(host, start, end) }
      }, { size, bytesPerMs: origin, knowsNoRanges })
    this.hosts = init.hosts.map((host, index) => new ModelHost(`host${index}`, host, {
      size, policy, clock: this.#clock, up: this.#links.add(host.up), down: this.#links.add(host.down)
    }))
    for (const host of this.hosts) this.#plan(host)
  }

  /** Bytes that the origin has sent, or begun to send. */
  get originBytes (): number {
    return this.#origin?.bytes ?? 0
  }

  /** Pieces that came from a host of another zone. */
  get crossings (): number {
    return [...this.crossingsInto.values()].reduce((sum, pieces) => sum + pieces, 0)
  }

  get nowMs (): number {
    return this.#clock.nowMs
  }

  /** Runs until all hosts that can be are done, or the limit. @returns when each was done, in milliseconds; undefined for those that never were */
  run (): Array<number | undefined> {
    const { limitMs = DEFAULT_LIMIT_MS } = this.#init
    this.#clock.run({ limitMs, isOver: () => this.hosts.every(host => !host.isAlive || host.session.isComplete || host.init.stall?.toMs === Infinity) })
    return this.hosts.map(host => host.doneMs)
  }

  #plan (host: ModelHost): void {
    const { startMs = 0, diesAtMs, stall } = host.init
    this.#byId.set(host.id, host)
    this.#clock.at(startMs, () => { this.#start(host) })
    if (diesAtMs !== undefined) this.#clock.at(diesAtMs, () => { this.#die(host) })
    if (stall === undefined) return
    this.#clock.at(stall.fromMs, () => { this.#stall(host) })
    if (stall.toMs !== Infinity) this.#clock.at(stall.toMs, () => { this.#wake(host) })
  }

  #start (host: ModelHost): void {
    if (!host.isAlive) return
    host.hasStarted = true
    this.#meshes?.start(host, this.hosts)
    for (const other of this.#meshes === undefined ? this.hosts : []) {
      if (other === host || !other.hasStarted || !other.isAlive) continue
      this.#join(host, other)
      this.#join(other, host)
    }
    this.#clock.after(GRACE_MS, () => { host.session.originReady(this.#origin !== undefined) })
    this.#tick(host)
  }

  #die (host: ModelHost): void {
    host.isAlive = false
    this.#origin?.stop(host)
    for (const transfer of [...host.up.transfers, ...host.down.transfers]) this.#links.end(transfer)
    this.#clock.after(DEATH_SEEN_MS, () => {
      for (const other of this.hosts) this.#bury(host, other)
    })
  }

  #bury (dead: ModelHost, host: ModelHost): void {
    host.forget(dead)
    this.#serve(host)
    this.#decideSoon(host)
  }

  #stall (host: ModelHost): void {
    host.isStalled = true
    this.#links.setPace(host.up, 0)
    this.#links.setPace(host.down, 0)
  }

  #wake (host: ModelHost): void {
    host.isStalled = false
    this.#links.setPace(host.up, host.init.up)
    this.#links.setPace(host.down, host.init.down)
    for (const hear of host.unheard.splice(0)) hear()
    this.#serve(host)
    this.#decide(host)
  }

  #join (from: ModelHost, to: ModelHost): void {
    const { isLeech, zone } = from.init
    const { session } = from
    const held = Bitfield.fromBytes(session.held.toBytes(), session.pieces) ?? new Bitfield(session.pieces)
    const { taking } = session
    const readsOrigin = this.#origin !== undefined && !session.isComplete
    from.joined.add(to)
    this.#wire.tell(from, to, () => {
      if (this.#meshes?.admits(to, from) === false) return
      to.session.joined(from.id, { held, isLeech, readsOrigin, isNear: zone === to.init.zone }, this.#clock.nowMs)
      to.session.takes(from.id, taking, this.#clock.nowMs)
      this.#decideSoon(to)
    })
  }

  #tick (host: ModelHost): void {
    if (!host.isAlive || host.session.isComplete) return
    this.#clock.after(TICK_MS, () => { this.#tick(host) })
    if (host.isStalled) return
    for (const from of this.hosts) {
      if (from.sending.size === 0) continue
      const transfers = [...from.sending.values()].filter(({ job, transfer }) => job.member === host.id && transfer.bytesPerMs > 0)
      if (transfers.length > 0) host.session.progressed(from.id, this.#clock.nowMs)
    }
    if (host.isReadingOrigin) host.session.originProgressed(this.#clock.nowMs)
    if (host.session.isPromiseDue(this.#clock.nowMs)) this.#tellTaking(host, host.session.taking.slice(0, 1))
    this.#decide(host)
  }

  #tellTaking (host: ModelHost, pieces: readonly number[]): void {
    for (const other of host.joined) this.#wire.tell(host, other, () => { other.session.takes(host.id, pieces, this.#clock.nowMs) })
  }

  #tellReleased (host: ModelHost, pieces: readonly number[]): void {
    for (const other of host.joined) this.#wire.tell(host, other, () => { other.session.releases(host.id, pieces, this.#clock.nowMs) })
  }

  #decideSoon (host: ModelHost): void {
    if (host.isDecideDue) return
    host.isDecideDue = true
    this.#clock.after(DECIDE_DELAY_MS, () => {
      host.isDecideDue = false
      this.#decide(host)
    })
  }

  #decide (host: ModelHost): void {
    if (!host.isActive) return
    const { nowMs } = this.#clock
    const runs = this.#origin === undefined || host.isReadingOrigin ? 0 : 1
    const { room, window } = host.budget.roomFor(host.session, nowMs)
    for (const decision of host.session.decide(nowMs, { room: host.isReadingWhole ? 0 : room, window, runs, isAlone: host.joined.size === 0 })) this.#do(host, decision)
    const { dueMs } = host.session
    if (dueMs !== undefined && dueMs !== host.dueMs) this.#clock.at(dueMs, () => { if (host.dueMs === dueMs) this.#decide(host) })
    host.dueMs = dueMs
    this.#init.check?.(host)
  }

  #do (host: ModelHost, decision: Decision): void {
    if (decision.type === 'take') {
      const { start, end } = decision
      const pieces = Array.from({ length: end - start }, (_, index) => start + index)
      this.#tellTaking(host, pieces)
      host.isReadingOrigin = true
      this.#origin?.read(host, decision)
      return
    }
    if (decision.type === 'release') {
      this.#origin?.shorten(host, decision.start)
      this.#tellReleased(host, Array.from({ length: decision.end - decision.start }, (_, index) => decision.start + index))
      return
    }
    if (decision.type === 'yield') {
      this.#origin?.stop(host)
      return
    }
    const { member: id, piece } = decision
    const member = this.#byId.get(id)
    if (member === undefined) throw new Error(`${host.id} knows no ${id}`)
    if (decision.type === 'cancel') {
      this.#wire.tell(host, member, () => { this.#cancelled(member, host, piece) })
      return
    }
    const key = requestKey(id, piece)
    if (host.unanswered.has(key)) throw new Error(`${host.id} asks ${id} for piece ${piece} before it was answered`)
    host.unanswered.add(key)
    this.#wire.tell(host, member, () => { this.#requested(member, host, piece) })
  }

  #requested (host: ModelHost, by: ModelHost, piece: number): void {
    // it was left a moment ago
    if (!host.session.members.has(by.id)) return
    if (!host.session.held.has(piece)) throw new Error(`${by.id} asks ${host.id} for piece ${piece}, which it does not hold`)
    const refused = host.uploads.add({ member: by.id, session: SESSION, piece })
    if (refused !== undefined) this.#reject(host, refused.member, refused.piece, 'busy')
    this.#serve(host)
  }

  #cancelled (host: ModelHost, by: ModelHost, piece: number): void {
    const job = { member: by.id, session: SESSION, piece }
    const transfer = host.sent(job)
    if (transfer !== undefined) this.#links.end(transfer)
    else if (!host.uploads.cancel(job)) return
    this.#reject(host, by.id, piece, 'cancelled')
    this.#serve(host)
  }

  #reject (host: ModelHost, id: string, piece: number, reason: RejectReason): void {
    const to = this.#byId.get(id)
    if (to === undefined) return
    const queue = host.ahead
    this.#wire.tell(host, to, () => {
      to.unanswered.delete(requestKey(host.id, piece))
      to.session.queued(host.id, queue)
      to.session.rejected(host.id, piece, reason, this.#clock.nowMs)
      this.#decideSoon(to)
    })
  }

  #serve (host: ModelHost): void {
    if (!host.isActive) return
    for (let job = host.uploads.next(); job !== undefined; job = host.uploads.next()) {
      const { member, piece } = job
      const to = this.#byId.get(member)
      if (to === undefined) continue
      const sent = job
      const transfer = this.#links.begin([host.up, to.down], this.#bytesOf(piece), () => {
        host.sent(sent)
        this.#arrived(to, piece, host)
        this.#serve(host)
      })
      host.sending.set(requestKey(member, piece), { job, transfer })
    }
  }

  /** The origin sends all of it whatever is asked: members are asked for nothing meanwhile. */
  #takeWhole (host: ModelHost): void {
    host.isReadingWhole = true
    this.#tellTaking(host, host.session.wholeComes())
    this.#decideSoon(host)
  }

  #readEnded (host: ModelHost, start: number, end: number): void {
    const missing = host.session.taking.filter(piece => !host.session.held.has(piece))
    host.isReadingOrigin = false
    host.isReadingWhole = false
    host.session.originEnded(start, end)
    if (missing.length === 0) return
    this.#tellReleased(host, missing)
    this.#decideSoon(host)
  }

  /** All of a piece is here, from a host or the origin. */
  #arrived (host: ModelHost, piece: number, from: ModelHost | undefined): void {
    const { nowMs } = this.#clock
    const { session } = host
    this.#decideSoon(host)
    if (from !== undefined) {
      host.unanswered.delete(requestKey(from.id, piece))
      session.queued(from.id, from.ahead)
      session.progressed(from.id, nowMs)
      const expected = session.expects(from.id, piece)
      if (expected === undefined) throw new Error(`${host.id} did not expect piece ${piece} from ${from.id}`)
      if (expected === 'called-off' || host.isReadingWhole) {
        session.rejected(from.id, piece, 'cancelled', nowMs)
        return
      }
      host.budget.received(this.#bytesOf(piece))
      const { zone } = host.init
      if (from.init.zone !== zone) this.crossingsInto.set(zone, (this.crossingsInto.get(zone) ?? 0) + 1)
    }
    session.arrived(piece, from?.id ?? 'origin', nowMs)
    if (session.held.has(piece)) return
    session.verified(piece)
    if (session.isComplete) host.doneMs = nowMs
    this.#announce(host, piece)
  }

  #announce (host: ModelHost, piece: number): void {
    if (host.init.isLeech === true) return
    const isRare = host.session.isRare(piece)
    if (host.news.push(piece) > 1 && !isRare) return
    this.#clock.after(isRare ? RARE_INTERVAL_MS : HAVE_INTERVAL_MS, () => {
      const pieces = host.news.splice(0)
      if (pieces.length === 0) return
      for (const other of host.joined) {
        const queue = host.ahead
        this.#wire.tell(host, other, () => {
          other.session.queued(host.id, queue)
          other.session.has(host.id, pieces, this.#clock.nowMs)
          this.#decideSoon(other)
        })
      }
    })
  }

  #bytesOf (piece: number): number {
    const { start, end } = pieceSpan(this.#init.size, piece)
    return end - start
  }
}
