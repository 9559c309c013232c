import { MAX_LISTED_PIECES } from '../../src/net/swarm-limits.ts'
import type { OriginAsker } from '../../src/pull/origin-slots.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { News } from '../../src/swarm/news.ts'
import { Session, type Decision, type RejectReason } from '../../src/swarm/session.ts'
import type { LayerSpec } from '../scenario.ts'
import type { SimHost } from './host.ts'
import { HASH_BYTES_PER_MS, InOrder } from './in-order.ts'
import { Lies } from './lies.ts'
import { SimMembership } from './membership.ts'
import type { Reading } from './origin.ts'
import { ahead, cancel, drop, requested, SMALL_BYTES, type SimJob } from './serving.ts'
import { isBorder, type World } from './world.ts'

/** As the agent has them: `src/pull/download`, in milliseconds. */
const DECIDE_INTERVAL_MS = 4
const STALL_MS = 30_000
const SEARCH_MS = 800
const SOON_MS = 500
/** One read from the origin, while other blobs wait for a place there: `src/pull/download`. */
const SHARED_RUN_BYTES = 16 * 1024 * 1024
/** Beside the hash of a piece: its signature, or the check of one. */
const SIGNATURE_MS = 0.2
/** A small blob, which may be a manifest, is written, synced and renamed before clients have it; what is larger they have before. Milliseconds. */
const SMALL_COMMIT_MS = 2
/** Of messages, beside what they list. */
const HEAD_BYTES = 8

export interface PartInit {
  readonly layer: LayerSpec
  /** The whole is here. @default false */
  readonly isStored?: boolean
  /** Fulfilled when the whole is here and right, or nobody is left who could help. */
  readonly onEnd?: (isRight: boolean) => void
}

/** What others hear when one takes part. */
export interface JoinFacts {
  readonly held: Bitfield
  readonly taking: readonly number[]
  readonly readsOrigin: boolean
}

/**
 * A host and one blob: the real session, and around it what `src/exchange/participation` and `src/pull/download` do in the agent:
 * tells members what there is, carries out what the session decides, finds out when it is done or lost.
 */
export class SimPart {
  readonly host: SimHost
  readonly layer: LayerSpec
  readonly session: Session
  /** While it is fetched. */
  membership: SimMembership | undefined
  /** Who hears what we have: those we have joined. */
  readonly told = new Set<SimHost>()
  /** On their way to us. */
  readonly incoming = new Set<SimJob>()
  readonly lies: Lies | undefined
  reading: Reading | undefined
  isReadingWhole = false
  /** Pieces that were read from the origin here: clients may have them at once. */
  readonly own: Bitfield
  readonly #world: World
  readonly #news: News<SimHost>
  readonly #asker: OriginAsker
  readonly #onEnd: (isRight: boolean) => void
  readonly #life: number
  #freeOrigin: () => void = () => {}
  #isDecideDue = false
  #dueMs: number | undefined
  /** Something has happened that may make a read from the origin ours. */
  #isOriginDue = true
  /** More could be asked for than there was to ask. */
  #isHungry = true
  /** It is over before the time goes on: each fact counts. */
  readonly #isSmall: boolean
  #checking = 0
  readonly #order: InOrder
  #readsOrigin: boolean
  #progressAtMs: number
  #isOver = false

  constructor (world: World, host: SimHost, { layer, isStored = false, onEnd = () => {} }: PartInit) {
    this.#world = world
    this.host = host
    this.layer = layer
    this.#onEnd = onEnd
    this.#life = host.life
    const { agent } = world.scenario
    this.session = new Session({
      self: host.name, digest: `sha256:${layer.name}`, size: layer.bytes, held: host.kept.get(layer.name), originPolicy: agent.originPolicy, isLeech: host.group.isLeech, isSeed: isStored, seedOf: world.seedsOf(layer.name)
    })
    this.own = new Bitfield(this.session.pieces)
    this.#isSmall = layer.bytes <= SMALL_BYTES
    this.lies = world.hasLiars ? new Lies(world, this) : undefined
    this.#order = new InOrder({
      bytes: layer.bytes,
      held: this.session.held,
      released: agent.isKeyed ? this.session.held : this.own,
      onRead: (piece, bytes) => { if (this.lies?.isWrong(piece) === true) world.observer.wrong(host.name, bytes, world.clock.nowMs) },
      onHead: head => { this.session.wanted([head]) }
    })
    this.#readsOrigin = !isStored && world.origin.exists && agent.originPolicy !== 'never'
    this.#progressAtMs = world.clock.nowMs
    this.#asker = { size: layer.bytes, onFree: () => { this.decide({ isOriginDue: true }) } }
    this.#news = new News({
      members: () => [...this.told].filter(to => this.session.members.get(to.name)?.held.isFull !== true),
      longest: MAX_LISTED_PIECES,
      tell: (to, pieces) => { this.#tellHave(to, pieces) },
      isHere: piece => this.session.held.has(piece),
      now: () => world.clock.nowMs,
      after: (delayMs, run) => {
        let isCalledOff = false
        world.clock.after(delayMs, () => { if (!isCalledOff && this.#isAlive) run() })
        return () => { isCalledOff = true }
      }
    })
  }

  get isFetching (): boolean {
    return this.membership !== undefined
  }

  /** Whether its bytes are all here, and only the check of some is missing. */
  get isChecking (): boolean {
    return this.#checking > 0
  }

  /** Begins to fetch it, for a client that reads it from its first byte: members are looked for, and the session is asked. */
  start (): void {
    this.host.budget.add(this.session)
    this.membership = new SimMembership(this.#world, this, () => {
      this.session.originReady(this.#world.origin.exists)
      this.factsSoon({ isOriginDue: true })
    })
    this.membership.start()
    this.#order.begin(this.#world.clock.nowMs)
    if (this.session.isComplete) this.#complete()
    else this.decide({ isOriginDue: true })
  }

  /** The time goes on: what the agent does ten times a second. */
  tick (): void {
    if (!this.isFetching || !this.host.isActive) return
    const { nowMs } = this.#world.clock
    for (const { part, flow } of this.incoming) {
      if (flow === undefined || flow.rate === 0) continue
      this.session.progressed(part.host.name, nowMs)
      this.#progressAtMs = nowMs
    }
    if (this.reading?.isMoving === true) {
      this.session.originProgressed(nowMs)
      this.#progressAtMs = nowMs
    }
    this.decide({ isOriginDue: true })
    if (this.session.isPromiseDue(nowMs)) this.tellTaking('take', this.session.taking.slice(0, 1))
    this.#giveUp(nowMs)
  }

  /** It is over, here: the agent is gone. */
  end (): void {
    this.#isOver = true
    this.membership?.stop()
    this.membership = undefined
    this.#news.stop()
    this.host.budget.remove(this.session)
    this.host.originSlots.leave(this.#asker)
    this.#freeOrigin()
    this.reading?.stop()
    this.lies?.end()
  }

  /** Takes part no longer, and says so. */
  leave (): void {
    const { host, layer } = this
    this.#world.wire.tellAll(host, [...this.told], HEAD_BYTES, to => {
      const part = to.parts.get(layer.name)
      part?.forget(host)
      part?.membership?.left(host, { isFull: true })
    })
    for (const { part: from } of [...this.incoming]) drop(this.#world, from.host, host, from)
    this.end()
  }

  /** Members that lack a part. */
  lacking (): SimHost[] {
    const lacking: SimHost[] = []
    for (const [name, { held }] of this.session.members) {
      const host = held.isFull ? undefined : this.#world.hosts.get(name)
      if (host !== undefined) lacking.push(host)
    }
    return lacking
  }

  /** What is said to who is asked to take part. */
  get facts (): JoinFacts {
    const { session } = this
    return { held: Bitfield.fromBytes(session.held.toBytes(), session.pieces) as Bitfield, taking: session.taking, readsOrigin: this.#readsOrigin }
  }

  /** Another takes part, and has said what it holds. */
  joined (other: SimHost, { held, taking, readsOrigin }: JoinFacts): void {
    const { nowMs } = this.#world.clock
    this.session.joined(other.name, { held, readsOrigin, isLeech: other.group.isLeech, isNear: !isBorder(this.host.group, other.group) }, nowMs)
    this.session.takes(other.name, taking, nowMs)
    if (this.told.has(other)) {
      if (this.session.taking.length > 0) this.#tell(other, 'take', this.session.taking)
    } else this.join(other)
    this.membership?.answered(other)
    this.factsSoon({ isOriginDue: true })
  }

  /** Says to another what we hold, and hears what it holds. */
  join (other: SimHost): void {
    if (this.told.has(other)) return
    this.told.add(other)
    this.#news.know(other)
    const { facts, host, layer } = this
    this.#world.wire.tell(host, other, 160 + Math.ceil(this.session.pieces / 8), () => { this.#world.directory.joins(other, host, layer, facts) })
  }

  /** Takes part with another no longer. @param isFetching - it lacks a part, so it reads its share of the origin */
  forget (other: SimHost, { isFetching = false }: { isFetching?: boolean } = {}): void {
    this.told.delete(other)
    this.session.gone(other.name, { goesOn: isFetching })
    drop(this.#world, this.host, other, this)
    this.membership?.answered(other)
    this.factsSoon({ isOriginDue: true })
  }

  has (other: SimHost, pieces: readonly number[], queue: number): void {
    this.session.queued(other.name, queue)
    this.session.has(other.name, pieces, this.#world.clock.nowMs)
    if (this.#isHungry && pieces.some(piece => !this.session.held.has(piece))) this.factsSoon()
  }

  rejected (other: SimHost, piece: number, reason: RejectReason, queue: number): void {
    this.session.queued(other.name, queue)
    this.session.rejected(other.name, piece, reason, this.#world.clock.nowMs)
    this.factsSoon()
  }

  /** All of a piece has come from another. */
  pieceCame (from: SimPart, piece: number, bytes: number, queue: number): void {
    const { clock, observer } = this.#world
    const other = from.host.name
    const expected = this.session.expects(other, piece)
    // it was left, or forgotten with its requests
    if (expected === undefined) {
      observer.inVain(this.host.name, bytes, clock.nowMs)
      return
    }
    this.session.queued(other, queue)
    this.session.progressed(other, clock.nowMs)
    if (expected === 'called-off' || this.isReadingWhole || this.lies?.isRefused(from, piece) === true) {
      this.session.rejected(other, piece, expected === 'asked' && !this.isReadingWhole ? 'missing' : 'cancelled', clock.nowMs)
      observer.inVain(this.host.name, bytes, clock.nowMs)
      this.factsSoon()
      return
    }
    this.host.budget.received(bytes)
    this.session.arrived(piece, other, clock.nowMs)
    this.factsSoon()
    this.#checking++
    clock.after(bytes / HASH_BYTES_PER_MS + SIGNATURE_MS, () => {
      this.#checking--
      if (this.#isAlive) this.#checked(from, piece, bytes)
    })
  }

  /** All of a piece has come from the origin: clients may have it, members when it is hashed and signed. */
  originGave (piece: number, bytes: number): void {
    const { clock, observer } = this.#world
    if (this.session.held.has(piece)) {
      observer.inVain(this.host.name, bytes, clock.nowMs)
      return
    }
    this.session.arrived(piece, 'origin', clock.nowMs)
    this.own.add(piece)
    this.#gained(piece, bytes, 'origin')
    clock.after(bytes / HASH_BYTES_PER_MS + SIGNATURE_MS, () => { if (this.#isAlive) this.#announce(piece) })
  }

  /** The origin sends all of it whatever is asked: members are asked for nothing meanwhile. */
  wholeComes (): void {
    this.isReadingWhole = true
    this.tellTaking('take', this.session.wholeComes())
    this.factsSoon()
  }

  readEnded (start: number, end: number, retryAtMs: number): void {
    const missing = this.session.taking.filter(piece => !this.session.held.has(piece))
    this.reading = undefined
    this.isReadingWhole = false
    this.session.originEnded(start, end, retryAtMs)
    this.tellTaking('release', missing)
    this.#setReadsOrigin(this.session.originOpen(this.#world.clock.nowMs + SOON_MS))
    this.#freeOrigin()
    this.factsSoon({ isOriginDue: true })
  }

  /** Tells all that we read these pieces from the origin, or no longer do. */
  tellTaking (type: 'take' | 'release', pieces: readonly number[]): void {
    if (pieces.length === 0 || this.host.group.isLeech) return
    for (const other of this.told) if (this.session.members.get(other.name)?.held.isFull !== true) this.#tell(other, type, pieces)
  }

  /** More is about to be sent to this member: what it has not heard yet goes along. */
  tellNews (to: SimHost): void {
    if (this.told.has(to) && this.session.members.get(to.name)?.held.isFull === false) this.#news.tell(to)
  }

  /** These are not here after all. */
  lost (pieces: readonly number[]): void {
    for (const piece of pieces) this.session.lost(piece)
    this.#order.lost(pieces)
    this.factsSoon({ isOriginDue: true })
  }

  /** Something has happened: it is time to decide, though not for each fact by itself. */
  factsSoon ({ isOriginDue = false }: { readonly isOriginDue?: boolean } = {}): void {
    this.#isOriginDue ||= isOriginDue
    if (this.#isDecideDue || !this.isFetching) return
    this.#isDecideDue = true
    this.#world.clock.after(DECIDE_INTERVAL_MS, () => {
      this.#isDecideDue = false
      this.decide()
    })
  }

  decide ({ isOriginDue = false }: { readonly isOriginDue?: boolean } = {}): void {
    this.#isOriginDue ||= isOriginDue || this.#isSmall
    const { host, session } = this
    if (!this.#isAlive || !this.isFetching || !host.isActive || session.isComplete) return
    const { nowMs } = this.#world.clock
    const { room, window } = host.budget.roomFor(session, nowMs)
    const mayRead = this.#isOriginDue && this.#readsOriginNow && this.reading === undefined && host.originSlots.isFree(this.#asker)
    if (this.reading !== undefined) host.originSlots.leave(this.#asker)
    if (mayRead) this.#isOriginDue = false
    const longestRun = host.originSlots.isContended ? Math.ceil(SHARED_RUN_BYTES / session.pieceLength) : undefined
    let asked = 0
    for (const decision of session.decide(nowMs, { room: this.isReadingWhole ? 0 : room, window, runs: mayRead ? 1 : 0, longestRun, isAlone: !host.hasLinked })) {
      if (decision.type === 'request') asked++
      this.#do(decision)
    }
    this.#isHungry = asked < room
    this.#decideAt(session.dueMs)
  }

  /** What is due then is not done before. */
  #decideAt (dueMs: number | undefined): void {
    if (dueMs === undefined || dueMs === this.#dueMs) return
    this.#dueMs = dueMs
    this.#world.clock.at(dueMs, () => { if (this.#dueMs === dueMs) this.decide({ isOriginDue: true }) })
  }

  get #isAlive (): boolean {
    return !this.#isOver && this.host.life === this.#life
  }

  get #readsOriginNow (): boolean {
    return this.#world.origin.exists && this.#world.scenario.agent.originPolicy !== 'never'
  }

  #do (decision: Decision): void {
    const { host, layer } = this
    const { wire, hosts, origin } = this.#world
    if (decision.type === 'take') {
      const { start, end } = decision
      this.#freeOrigin = host.originSlots.take(this.#asker)
      this.tellTaking('take', Array.from({ length: end - start }, (_, index) => start + index))
      this.reading = origin.read(this, decision)
      return
    }
    if (decision.type === 'release') {
      this.reading?.shorten(decision.start)
      this.tellTaking('release', Array.from({ length: decision.end - decision.start }, (_, index) => decision.start + index))
      return
    }
    if (decision.type === 'yield') {
      this.reading?.stop()
      return
    }
    const { member, piece } = decision
    const other = hosts.get(member)
    if (other === undefined) throw new RangeError(`${host.name} knows no ${member}`)
    this.tellNews(other)
    wire.tell(host, other, HEAD_BYTES, () => {
      const part = other.parts.get(layer.name)
      if (part === undefined) return
      if (decision.type === 'request') requested(this.#world, part, host, piece)
      else cancel(this.#world, part, host, piece)
    })
  }

  #checked (from: SimPart, piece: number, bytes: number): void {
    const { clock, observer } = this.#world
    if (this.lies?.isTampered(from, piece) === true) {
      this.session.lost(piece)
      this.session.useless(from.host.name, piece)
      observer.inVain(this.host.name, bytes, clock.nowMs)
      this.lies.caught(from.host)
      return
    }
    this.lies?.took(from, piece)
    if (isBorder(this.host.group, from.host.group)) observer.crossedBorder(bytes)
    this.#gained(piece, bytes, 'member')
    this.#announce(piece)
  }

  #gained (piece: number, bytes: number, from: 'origin' | 'member'): void {
    const { clock, observer } = this.#world
    this.#progressAtMs = clock.nowMs
    this.session.verified(piece)
    observer.received(this.host.name, from, bytes, clock.nowMs)
    this.#order.goOn(clock.nowMs)
    this.factsSoon()
    if (this.session.isComplete && this.#checking === 0) this.#complete()
  }

  #announce (piece: number): void {
    if (this.session.held.has(piece) && !this.host.group.isLeech) this.#news.add([piece], { isRare: this.session.isRare(piece) })
  }

  /** Every piece is here. Whether the whole is right is known soon. */
  #complete (): void {
    const { clock } = this.#world
    clock.after(Math.max(0, this.#order.hashedAtMs - clock.nowMs) + (this.#isSmall ? SMALL_COMMIT_MS : 0), () => {
      if (!this.#isAlive || !this.session.isComplete || !this.isFetching) return
      if (this.lies?.hasWrong === true) this.lies.audit()
      else this.#commit()
    })
  }

  #commit (): void {
    this.lies?.settle()
    const { host, layer } = this
    this.membership?.stop()
    this.membership = undefined
    host.budget.remove(this.session)
    host.stored.add(layer.name)
    this.#world.directory.provides(host, layer)
    this.#setReadsOrigin(false)
    this.#onEnd(true)
  }

  /** Ends it when nobody is left who might help. */
  #giveUp (nowMs: number): void {
    if (this.#checking > 0 || this.reading !== undefined || this.session.isComplete || this.host.originSlots.isWaiting(this.#asker)) return
    const isOriginOpen = this.#readsOriginNow && (this.session.originOpen(nowMs) || this.#world.origin.isBackSoon(this.host))
    const isSearching = this.membership !== undefined && nowMs - this.membership.searchedAtMs < SEARCH_MS
    const isIdle = nowMs - this.#progressAtMs >= STALL_MS
    if (!isIdle && (this.session.isHelped(nowMs) || isOriginOpen || isSearching || this.membership?.hurry() === true)) return
    if (!isIdle && this.lies?.relent(nowMs) === true) return
    this.host.kept.set(this.layer.name, [...this.session.held])
    this.#onEnd(false)
  }

  #setReadsOrigin (reads: boolean): void {
    if (this.#readsOrigin === reads || !this.#readsOriginNow) return
    this.#readsOrigin = reads
    const { host, layer } = this
    this.#world.wire.tellAll(host, [...this.told], HEAD_BYTES, to => {
      const part = to.parts.get(layer.name)
      part?.session.readsOrigin(host.name, reads, this.#world.clock.nowMs)
      part?.factsSoon({ isOriginDue: true })
    })
  }

  #tellHave (to: SimHost, pieces: readonly number[]): void {
    const { host, layer } = this
    const queue = ahead(this)
    this.#world.wire.tell(host, to, HEAD_BYTES + 2 * pieces.length, () => { to.parts.get(layer.name)?.has(host, pieces, queue) })
  }

  #tell (to: SimHost, type: 'take' | 'release', pieces: readonly number[]): void {
    const { host, layer } = this
    this.#world.wire.tell(host, to, HEAD_BYTES + 2 * pieces.length, () => {
      const part = to.parts.get(layer.name)
      if (part === undefined) return
      if (type === 'take') part.session.takes(host.name, pieces, this.#world.clock.nowMs)
      else part.session.releases(host.name, pieces, this.#world.clock.nowMs)
      part.factsSoon({ isOriginDue: type === 'release' })
    })
  }
}
