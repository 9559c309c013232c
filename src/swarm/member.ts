import { Bitfield } from './bitfield.ts'
import type { PendingRequest } from './ledger.ts'
import { standingOf, type OwnershipSeed } from './ownership.ts'
import type { PieceMask } from './piece-mask.ts'
import { SMALL_PIECES } from './pieces.ts'

/** Weight of the newest sample in a moving average. */
const SAMPLE_WEIGHT = 0.25
/** What a request is thought to take before any was answered, in milliseconds. */
const FIRST_GUESS_MS = 100
const MAX_PATIENCE_MS = 8000
const REST_MAX_MS = 10_000
/** Who is always busy is asked again at least so often in the time after which it is not counted on. */
const BUSY_PART = 2

/** Milliseconds. */
interface Patience {
  /** Nothing may come for so long before requests lapse: at the least, and the first time. */
  readonly least: number
  /** A member that says nothing but `busy` for so long is not counted on. */
  readonly busy: number
  /** After requests have lapsed for the first time. */
  readonly rest: number
}

const PATIENCE: Patience = { least: 1000, busy: 3000, rest: 500 }
const SMALL_PATIENCE: Patience = { least: 400, busy: 500, rest: 100 }
/** Nobody's requests lapse before, in milliseconds. */
export const LEAST_PATIENCE_MS = Math.min(PATIENCE.least, SMALL_PATIENCE.least)
/** For the many members of whom nothing is to be noted. */
const NONE: ReadonlySet<number> = new Set()

/** What a member says of itself when it takes part. */
export interface MemberFacts {
  readonly held: Bitfield
  /** It gives nothing. @default false */
  readonly isLeech?: boolean
  /** It reads from the origin what it owns. @default false */
  readonly readsOrigin?: boolean
  /** Same zone, or as near as one. @default true */
  readonly isNear?: boolean
}

/** Another agent in a session: what it holds, what it has promised, and how it has done so far. */
export class Member {
  readonly id: string
  readonly ownership: OwnershipSeed
  /** Who stands highest reads from the origin. */
  readonly standing: number
  readonly held: Bitfield
  /** What is asked of it, oldest first; the ledger alone changes it. */
  readonly requests: PendingRequest[] = []
  /** Since when it has read the first of `taking`, in milliseconds. */
  takingSinceMs = 0
  isLeech: boolean
  readsOrigin: boolean
  isNear: boolean
  /** When it last said something for the session, in milliseconds. */
  heardAtMs: number
  /** When bytes of a piece last came from it, in milliseconds. */
  progressAtMs = 0
  /** When we last did not read what it sends, as we may take no more, in milliseconds. */
  heldUpAtMs = 0
  /** Requests that come before another at it, as it said last. */
  queue = 0
  /** Not asked before then: it said `busy`. */
  busyUntilMs = 0
  /** Not asked before then: it let requests lapse. */
  restUntilMs = 0
  /** From asking to having, lately, in milliseconds. */
  serviceMs = FIRST_GUESS_MS
  readonly #patience: Patience
  #taking: Set<number> | undefined
  /** How long it has said before that it reads pieces, without having one of them since, in milliseconds. */
  #vainTakingMs = 0
  #hasTaken = false
  #hasDelivered = false
  #calledOff: Set<number> | undefined
  #lapses = 0
  /** How long we last waited in vain since it delivered, in milliseconds. */
  #vainMs = 0
  /** How often it said `busy` in a row. */
  #refusals = 0
  /** When it first said `busy` since it last delivered, or was not asked for long. */
  #busySinceMs: number | undefined
  /** When it last said so. */
  #busyAtMs = 0

  constructor (id: string, ownership: OwnershipSeed, pieces: number, nowMs: number) {
    this.id = id
    this.ownership = ownership
    this.standing = standingOf(ownership)
    this.held = new Bitfield(pieces)
    this.isLeech = false
    this.readsOrigin = false
    this.isNear = true
    this.heardAtMs = nowMs
    this.#patience = pieces <= SMALL_PIECES ? SMALL_PATIENCE : PATIENCE
  }

  /** It says what it holds and does, and this is all. */
  stated (facts: MemberFacts, nowMs: number): void {
    this.isLeech = facts.isLeech ?? false
    this.readsOrigin = facts.readsOrigin ?? false
    this.isNear = facts.isNear ?? true
    this.heardAtMs = nowMs
    this.#endTaking(nowMs)
    this.held.assign(facts.held)
  }

  /** Pieces it is reading from the origin now. */
  get taking (): ReadonlySet<number> {
    return this.#taking ?? NONE
  }

  /** How long it has said that it reads pieces, with and without breaks, since it last had one of them, in milliseconds. */
  takingMs (nowMs: number): number {
    return this.#vainTakingMs + (this.taking.size === 0 ? 0 : nowMs - this.takingSinceMs)
  }

  /** Whether it has said that it reads pieces and has given us none, or is distrusted. */
  get hasOnlyPromised (): boolean {
    return this.#hasTaken && !this.#hasDelivered
  }

  /** Pieces we asked of it, called off, and have had no answer to. */
  get calledOff (): ReadonlySet<number> {
    return this.#calledOff ?? NONE
  }

  /** Whether it may read from the origin what others lack, and gives it to them. */
  get isOwner (): boolean {
    return this.readsOrigin && !this.isLeech && !this.held.isFull
  }

  /** It has compared the whole, as far as it says: it has all, and reads nothing more from the origin. */
  get hasRightWhole (): boolean {
    return this.held.isFull && !this.readsOrigin
  }

  /** How long nothing may come from it before its requests lapse, in milliseconds. */
  get patienceMs (): number {
    // each time that it was in vain there may have been too little of it
    return Math.min(MAX_PATIENCE_MS, Math.max(this.#patience.least, 4 * this.serviceMs) * 2 ** this.#lapses)
  }

  /** What a request is thought to take, in milliseconds: who has delivered nothing yet is no better than it has shown itself. */
  get expectedMs (): number {
    return Math.max(this.serviceMs, this.#vainMs)
  }

  /** It let requests lapse again and again. */
  get isExhausted (): boolean {
    return this.#lapses > 2
  }

  /** It has never sent a byte, and let requests lapse without even an answer when we called them off, or again and again: it may have nothing. */
  get isHollow (): boolean {
    return this.progressAtMs === 0 && this.#lapses > 0 && (this.calledOff.size > 0 || this.isExhausted)
  }

  /** Nothing has come from it for too long, of what it is asked for. */
  isOverdue (nowMs: number): boolean {
    const sinceMs = this.#waitedSinceMs
    return sinceMs !== undefined && nowMs - sinceMs >= this.patienceMs
  }

  /** For so many milliseconds we have not heard what it may have said: they are not of its time to answer. */
  excuse (ms: number, nowMs: number): void {
    this.heardAtMs = Math.min(nowMs, this.heardAtMs + ms)
    const sinceMs = this.#waitedSinceMs
    if (sinceMs !== undefined) this.heldUpAtMs = Math.min(nowMs, sinceMs + ms)
  }

  /** Whether it would begin with what is asked of it now at once, as far as we know. */
  get hasSlot (): boolean {
    return this.queue === 0 && this.requests.length === 0
  }

  canBeAsked (nowMs: number): boolean {
    return !this.isLeech && nowMs >= this.busyUntilMs && nowMs >= this.restUntilMs
  }

  /** Marks what it can give. */
  give (mask: PieceMask): void {
    mask.unite(this.held, this.#calledOff)
  }

  canGive (piece: number): boolean {
    return this.held.has(piece) && !this.calledOff.has(piece)
  }

  /**
   * Marks what may be hoped for from it: not what it has not sent, not even answered that we called it off.
   * @param options.mayBeBusy - also when it has been busy for long
   */
  offer (mask: PieceMask, nowMs: number, { mayBeBusy }: { readonly mayBeBusy: boolean }): void {
    if (!mayBeBusy && this.#busySinceMs !== undefined && this.#busyAtMs - this.#busySinceMs > this.#patience.busy) return
    mask.unite(this.held, nowMs < this.restUntilMs ? undefined : this.#calledOff)
  }

  /** It reads these from the origin, or still does. */
  takes (pieces: Iterable<number>, nowMs: number): void {
    if (this.taking.size === 0) this.takingSinceMs = nowMs
    for (const piece of pieces) {
      // what it has it need not read
      if (this.held.has(piece)) continue
      this.#taking ??= new Set()
      this.#taking.add(piece)
      this.#hasTaken = true
    }
  }

  /** It reads these no longer. */
  releases (pieces: Iterable<number>, nowMs: number): void {
    const takingMs = this.takingMs(nowMs)
    for (const piece of pieces) this.#taking?.delete(piece)
    if (this.#taking?.size !== 0) return
    this.#taking = undefined
    this.#vainTakingMs = takingMs
  }

  /** It reads nothing from the origin. */
  stopsReading (nowMs: number): void {
    this.readsOrigin = false
    this.#endTaking(nowMs)
  }

  /** What it says that it reads is not believed until it has given us something. */
  distrust (): void {
    this.#vainTakingMs = Infinity
    this.#hasTaken = true
    this.#hasDelivered = false
  }

  /** It holds a piece that it was reading, or another. @returns how long it has read since it last had one, in milliseconds; 0 if it was not reading it */
  has (piece: number, nowMs: number): number {
    if (this.#taking?.delete(piece) !== true) return 0
    if (this.#taking.size === 0) this.#taking = undefined
    if (this.#vainTakingMs !== Infinity) this.#vainTakingMs = 0
    const tookMs = nowMs - this.takingSinceMs
    this.takingSinceMs = nowMs
    return tookMs
  }

  /** A piece that we asked of it is no longer wanted from it. */
  callOff (piece: number): void {
    this.#calledOff ??= new Set()
    this.#calledOff.add(piece)
  }

  /** It has answered for a piece that was called off. @returns whether it was */
  answered (piece: number): boolean {
    if (this.#calledOff?.delete(piece) !== true) return false
    if (this.#calledOff.size === 0) this.#calledOff = undefined
    return true
  }

  /** It said `busy`: it is not asked for a while, twice as long each time until it delivers, as nobody knows how long it takes. */
  refused (nowMs: number): void {
    // who was not asked for a while may have had time for us
    if (nowMs - this.busyUntilMs > this.#patience.busy) this.#rehabilitate()
    this.#busySinceMs ??= nowMs
    // what was asked together is refused together
    if (nowMs < this.busyUntilMs) return
    this.#busyAtMs = nowMs
    const firstMs = Math.min(this.serviceMs, this.patienceMs) / 2
    const longestMs = this.#hasDelivered ? firstMs : this.#patience.busy / BUSY_PART
    this.busyUntilMs = nowMs + Math.min(longestMs, firstMs * 2 ** this.#refusals)
    this.#refusals++
  }

  delivered (tookMs: number, nowMs: number): void {
    this.serviceMs += (tookMs - this.serviceMs) * SAMPLE_WEIGHT
    this.progressed(nowMs)
    this.#lapses = 0
    this.#vainMs = 0
    this.#vainTakingMs = 0
    this.#hasDelivered = true
    this.#rehabilitate()
  }

  progressed (nowMs: number): void {
    this.heardAtMs = nowMs
    this.progressAtMs = nowMs
  }

  /** Its requests lapsed: it rests, twice as long each time. */
  lapsed (nowMs: number): void {
    this.#vainMs = this.patienceMs
    this.restUntilMs = nowMs + Math.min(REST_MAX_MS, this.#patience.rest * 2 ** this.#lapses)
    this.#lapses++
  }

  /** Since when nothing has come of what it is asked for, in milliseconds; undefined: it is asked for nothing. */
  get #waitedSinceMs (): number | undefined {
    const oldest = this.requests[0]
    return oldest === undefined ? undefined : Math.max(oldest.askedAtMs, this.progressAtMs, this.heldUpAtMs)
  }

  #endTaking (nowMs: number): void {
    this.#vainTakingMs = this.takingMs(nowMs)
    this.#taking = undefined
  }

  /** It may have time for us. */
  #rehabilitate (): void {
    this.#busySinceMs = undefined
    this.#refusals = 0
  }
}
