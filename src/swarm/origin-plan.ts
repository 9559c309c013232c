import type { Availability } from './availability.ts'
import type { Bitfield } from './bitfield.ts'
import { DistantOwners } from './distant-owners.ts'
import type { RequestLedger } from './ledger.ts'
import type { Member } from './member.ts'
import { OriginPace } from './origin-pace.ts'
import { groupOf, OwnershipSeed } from './ownership.ts'
import { pieceLength, SMALL_PIECES } from './pieces.ts'
import { SpareTime } from './spare-time.ts'

/**
 * When the origin is asked. `frugal`: only for what no member holds. `balanced`: also where the swarm would take much
 * longer than the origin. `fast`: for whatever is not on its way. `never`: not at all.
 */
export type OriginPolicy = 'frugal' | 'balanced' | 'fast' | 'never'

/** An owner that has said nothing for so long is passed over; when nothing comes at all, so long for each before us. Milliseconds. */
const OWNER_PATIENCE_MS = 1500
const SMALL_OWNER_PATIENCE_MS = 500
/** Who reads from the origin says so again after so long, however slow it is: twice before it is passed over. Milliseconds. */
const PROMISE_MS = 700
const SMALL_PROMISE_MS = 240
/** Bytes that come count as pieces that do for so long, in milliseconds: links may be slow, but nobody may stall us so. */
const PROGRESS_ALLOWANCE_MS = 6000
/** From one piece that somebody reads to the next: so long, and what the piece needs at this pace. */
const READING_ALLOWANCE_MS = 6000
const SLOWEST_BYTES_PER_MS = 250
/** Who has been at a piece for so long is slow, in milliseconds. */
const SLOW_MS = 1000
/** Between the turns of those who would read for a slow owner: until they have heard of each other, in milliseconds. */
const TURN_MS = 60
/** Turns of a round: as many who are spare do not meet. */
const TURNS = 4
/** Pieces of one read; doubles with each that nobody else wanted a part in. */
const FIRST_RUN_PIECES = 1
const MAX_RUN_PIECES = 64

export interface OriginPlanParts {
  readonly members: ReadonlyMap<string, Member>
  readonly availability: Availability
  readonly ledger: RequestLedger
  readonly arrived: Bitfield
}

export interface OriginPlanInit {
  readonly self: string
  readonly digest: string
  readonly originPolicy?: OriginPolicy
  readonly isLeech?: boolean
  /** Bytes of the blob. */
  readonly size: number
}

export interface OriginRun {
  readonly start: number
  readonly end: number
}

/** What holds for all pieces while one read is chosen. */
interface OriginView {
  readonly nowMs: number
  /** What others say that they are reading. */
  readonly claimed: ReadonlySet<number>
  /** What members hold is better read from the origin. */
  readonly isQuicker: boolean
  readonly before: (piece: number) => readonly Member[] | undefined
}

/**
 * Which pieces we read from the origin. Each piece that no member holds has an owner: of those who lack it and may read
 * it, the one that ranks highest for it (`OwnershipSeed`). Owners that are silent are passed over; what somebody says it
 * is reading is left to it. Who has read all that it owns reads what slower owners have not begun. Alone, everything is ours.
 */
export class OriginPlan {
  isReady = false
  /** Others that we know by name only. */
  readonly distant: DistantOwners
  readonly #parts: OriginPlanParts
  readonly #self: OwnershipSeed
  readonly #policy: OriginPolicy
  readonly #isLeech: boolean
  readonly #patienceMs: number
  readonly #promiseMs: number
  /** How long who says that it reads pieces may take for each. */
  readonly #readingMs: number
  readonly #taking = new Set<number>()
  /** First pieces of the runs under way. */
  readonly #runs = new Set<number>()
  #runPieces = FIRST_RUN_PIECES
  #retryAtMs = 0
  readonly #pace: OriginPace
  #hasStarted = false
  readonly #spare = new SpareTime()
  #lastArrivalMs = 0
  #lastProgressMs = 0
  /** When the others last heard that we read. */
  #promisedMs = 0
  /** The origin gives all or nothing. */
  #knowsNoRanges = false
  #readsWhole = false
  /** To whom we have left the whole: nobody stops us twice. */
  readonly #yieldedTo = new Set<string>()

  constructor (parts: OriginPlanParts, init: OriginPlanInit) {
    this.#parts = parts
    this.#pace = new OriginPace(parts.arrived)
    this.#self = new OwnershipSeed(init.digest, init.self)
    this.distant = new DistantOwners(init.digest, parts.arrived.length)
    this.#policy = init.originPolicy ?? 'balanced'
    this.#isLeech = init.isLeech ?? false
    const isSmall = parts.arrived.length <= SMALL_PIECES
    this.#patienceMs = isSmall ? SMALL_OWNER_PATIENCE_MS : OWNER_PATIENCE_MS
    this.#promiseMs = isSmall ? SMALL_PROMISE_MS : PROMISE_MS
    this.#readingMs = READING_ALLOWANCE_MS + pieceLength(init.size) / SLOWEST_BYTES_PER_MS
  }

  get taking (): readonly number[] {
    return [...this.#taking]
  }

  isTaking (piece: number): boolean {
    return this.#taking.has(piece)
  }

  isOpen (nowMs: number): boolean {
    return this.#policy !== 'never' && nowMs >= this.#retryAtMs
  }

  /** A piece has come, from whomever. */
  arrived (nowMs: number): void {
    this.#lastArrivalMs = nowMs
  }

  /** Bytes have come, from whomever. */
  progressed (nowMs: number): void {
    this.#lastProgressMs = nowMs
  }

  /** Whether the others have not heard for a while that we read, or have read what they cannot have yet. Once it is said, not for another while. */
  isPromiseDue (nowMs: number, isSigning: boolean): boolean {
    if ((this.#taking.size === 0 && !isSigning) || nowMs - this.#promisedMs < this.#promiseMs) return false
    this.#promisedMs = nowMs
    return true
  }

  /** A piece has been read from the origin. */
  read (piece: number, nowMs: number): void {
    this.#taking.delete(piece)
    this.#promisedMs = nowMs
    this.#pace.read(nowMs)
  }

  /** A member has read what it had promised, so many milliseconds after its last word of that kind. */
  othersRead (tookMs: number): void {
    this.#pace.othersRead(tookMs)
  }

  /** A member has left, or leaves pieces unread: those who are spare do not all read them at once. */
  somebodyLeft (): void {
    this.#spare.shared()
  }

  ended (start: number, end: number, retryAtMs: number): void {
    this.#runs.delete(start)
    if (this.#knowsNoRanges) this.#taking.clear()
    for (let piece = start; piece < end; piece++) this.#taking.delete(piece)
    this.#readsWhole = false
    if (retryAtMs > 0) this.#runPieces = FIRST_RUN_PIECES
    this.#retryAtMs = Math.max(this.#retryAtMs, retryAtMs)
  }

  /** The origin sends all of the blob whatever is asked: what we read goes on to its end. @returns the pieces that it brings */
  wholeComes (): readonly number[] {
    const { arrived } = this.#parts
    this.#knowsNoRanges = true
    this.#readsWhole = true
    for (let piece = 0; piece < arrived.length; piece++) if (!arrived.has(piece)) this.#taking.add(piece)
    return this.taking
  }

  /** Whether another reads the whole too, and ranks higher: those who began at once see it alike, and one goes on. */
  yields (nowMs: number): boolean {
    if (!this.#readsWhole) return false
    for (const member of this.#contenders(nowMs)) {
      if (this.#yieldedTo.has(member.id) || !this.#isReading(member, nowMs)) continue
      if (!this.#isLeech && member.ownership.rank(0) < this.#self.rank(0)) continue
      if (!this.taking.every(piece => member.taking.has(piece) || member.held.has(piece))) continue
      this.#yieldedTo.add(member.id)
      this.#readsWhole = false
      return true
    }
    return false
  }

  /** The next read, if one is ours to begin, of so many pieces at the most. */
  next (nowMs: number, heads: readonly number[], longest = MAX_RUN_PIECES): OriginRun | undefined {
    this.#noteStart(nowMs)
    if (this.#policy === 'never' || !this.isReady || nowMs < this.#retryAtMs) return undefined
    const contenders = this.#contenders(nowMs)
    const sincePieceMs = nowMs - this.#lastArrivalMs
    const idleMs = Math.min(sincePieceMs, Math.max(nowMs - this.#lastProgressMs, sincePieceMs - PROGRESS_ALLOWANCE_MS))
    if (idleMs > this.#patienceMs) this.distant.close()
    const view: OriginView = { nowMs, claimed: this.#claimed(nowMs), isQuicker: this.#isQuicker(nowMs), before: this.#ranking(contenders) }
    // of all pieces, for each read: first what costs least to know
    const isOurs = (piece: number): boolean => this.#isFree(piece, view) && (
      (view.isQuicker && this.#isOffered(piece, nowMs)) || (this.#isOwner(piece, view, idleMs) && !this.#isOffered(piece, nowMs)))
    const start = this.#start(heads, contenders.length === 0, isOurs)
    if (start === undefined) return this.#nextForOthers(view)
    let end = start + 1
    while (end - start < Math.min(this.#runPieces, longest) && end < this.#parts.arrived.length && isOurs(end)) end++
    this.#runPieces = Math.min(MAX_RUN_PIECES, this.#runPieces * 2)
    return this.#begin(nowMs, { start, end })
  }

  /**
   * Nothing is ours: what slower owners have not begun, that first for which fewest rank before us. Of those the piece that its
   * owner would read last, if we are the next in rank; others who are spare have the same claim on all else, so there each goes
   * its own way, or two that end a piece at the same time would read the same all along.
   */
  #nextForOthers (view: OriginView): OriginRun | undefined {
    const { nowMs } = view
    if (this.#taking.size === 0) this.#spare.begin(nowMs)
    if (this.#knowsNoRanges || !this.#spare.suffices(nowMs, 1)) return undefined
    const { length } = this.#parts.arrived
    let best: { piece: number, before: number, turn: number } | undefined
    for (let piece = 0; piece < length; piece++) {
      if (!this.#isFree(piece, view)) continue
      const owners = view.before(piece)
      const owner = owners?.[0]
      if (owners === undefined || owner === undefined || !this.#spare.suffices(nowMs, owners.length) || !isOurTurn(owner, owners.length, nowMs)) continue
      if (this.#isOffered(piece, nowMs)) continue
      const before = owners.length
      const turn = before === 1 ? (piece + length - this.#first(owner.ownership)) % length : this.#self.order(piece)
      if (best === undefined || before < best.before || (before === best.before && turn > best.turn)) best = { piece, before, turn }
    }
    return best === undefined ? undefined : this.#begin(nowMs, { start: best.piece, end: best.piece + 1 })
  }

  #begin (nowMs: number, run: OriginRun): OriginRun {
    for (let piece = run.start; piece < run.end; piece++) this.#taking.add(piece)
    if (this.#runs.size === 0) this.#pace.resumed(nowMs)
    this.#promisedMs = nowMs
    this.#runs.add(run.start)
    return run
  }

  /** Not here, not on its way to us, and nobody says that it is reading it. */
  #isFree (piece: number, { claimed }: OriginView): boolean {
    const { arrived, ledger } = this.#parts
    return !arrived.has(piece) && !claimed.has(piece) && !this.#taking.has(piece) && !ledger.isAsked(piece)
  }

  #claimed (nowMs: number): ReadonlySet<number> {
    const claimed = new Set<number>()
    for (const member of this.#parts.members.values()) {
      if (member.taking.size === 0 || !this.#isReading(member, nowMs)) continue
      for (const piece of member.taking) claimed.add(piece)
    }
    return claimed
  }

  /** Whether a member that has promised to read pieces may still be doing so: it says so, and not for ever. */
  #isReading ({ heardAtMs, takingSinceMs }: Member, nowMs: number): boolean {
    const maySurpass = this.#policy !== 'frugal' && !this.#knowsNoRanges && this.#spare.suffices(nowMs, 1)
    if (maySurpass && this.#pace.isMuchSlower(nowMs - takingSinceMs)) return false
    return nowMs - heardAtMs < 2 * this.#patienceMs && nowMs - takingSinceMs < this.#readingMs
  }

  /** Whether a member holds it that may yet give it. */
  #isOffered (piece: number, nowMs: number): boolean {
    if (this.#parts.availability.of(piece) === 0) return false
    for (const member of this.#parts.members.values()) {
      if (member.offers(piece, nowMs)) return true
    }
    return false
  }

  /** Others that may own what they lack. */
  #contenders (nowMs: number): Member[] {
    return [...this.#parts.members.values()].filter(member => !member.isLeech && member.readsOrigin && nowMs - member.heardAtMs < this.#patienceMs)
  }

  #isOwner (missing: number, view: OriginView, idleMs: number): boolean {
    // who reads a part reads all
    const before = view.before(this.#knowsNoRanges ? 0 : missing)?.length
    if (before === undefined || before === 0) return before === 0
    return before * this.#patienceMs <= idleMs && idleMs > this.#patienceMs
  }

  /** Who ranks before us for a piece, the owner first; undefined when one whom we know by name only does. The same for all pieces of a group. */
  #ranking (contenders: readonly Member[]): OriginView['before'] {
    const known = new Map<number, readonly Member[] | undefined>()
    return piece => {
      const group = groupOf(piece)
      if (!known.has(group)) known.set(group, this.#before(piece, contenders))
      return known.get(group)
    }
  }

  #before (piece: number, contenders: readonly Member[]): readonly Member[] | undefined {
    const rank = this.#self.rank(piece)
    if (this.distant.isAbove(rank, piece)) return undefined
    // nobody could get it from a leech, so it owns nothing that anybody else may read
    const before = contenders.filter(({ ownership }) => this.#isLeech || ownership.rank(piece) > rank)
    return before.length < 2 ? before : before.sort((a, b) => b.ownership.rank(piece) - a.ownership.rank(piece))
  }

  /** The first that a reader waits for; alone the first of all; else from a place of our own on. */
  #start (heads: readonly number[], isAlone: boolean, isOurs: (piece: number) => boolean): number | undefined {
    const { length } = this.#parts.arrived
    const from = isAlone || heads.length > 0 ? heads[0] ?? 0 : this.#first(this.#self)
    for (let offset = 0; offset < length; offset++) {
      const piece = (from + offset) % length
      if (isOurs(piece)) return piece
    }
    return undefined
  }

  /** Where an owner begins. */
  #first (owner: OwnershipSeed): number {
    const { length } = this.#parts.arrived
    return owner.order(length) % Math.max(length, 1)
  }

  /** Whether a piece that members hold is better read from the origin. */
  #isQuicker (nowMs: number): boolean {
    if (this.#policy === 'fast') return true
    // all that is here already would come again
    return this.#policy === 'balanced' && !this.#knowsNoRanges && this.#pace.isMuchQuicker(nowMs)
  }

  #noteStart (nowMs: number): void {
    if (this.#hasStarted) return
    this.#hasStarted = true
    this.#pace.started(nowMs)
    this.#lastArrivalMs = nowMs
    this.#lastProgressMs = nowMs
  }
}

/**
 * Whether we may begin one of an owner's pieces, `before` ranking before us: it must not begin the same before it hears of it.
 * So just after it has begun another, or when it is slow; and one behind the other, or all who are spare begin in the same instant.
 */
function isOurTurn ({ taking, takingSinceMs }: Member, before: number, nowMs: number): boolean {
  const turn = Math.floor((nowMs - takingSinceMs) / TURN_MS)
  const isSlow = nowMs - takingSinceMs > SLOW_MS
  return isSlow ? before === 1 || turn % TURNS === before % TURNS : taking.size > 0 && turn === before - 1
}
