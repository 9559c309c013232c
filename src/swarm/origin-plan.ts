import { DistantOwners } from './distant-owners.ts'
import type { Member } from './member.ts'
import { markOpen, type OpenPiecesParts } from './open-pieces.ts'
import { OriginPace } from './origin-pace.ts'
import { standingOf, type OwnershipSeed, type SeedOf } from './ownership.ts'
import type { PieceGroups } from './piece-groups.ts'
import { PieceMask } from './piece-mask.ts'
import { pieceLength, SMALL_PIECES } from './pieces.ts'
import { Precedence } from './precedence.ts'
import { rankReaders, READERS, type ReaderRanking, type Standing } from './readers.ts'
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
/** Where more fetch than read, each further one begins so much later, in milliseconds. */
const START_STEP_MS = 25
/** Pieces of one read; doubles with each that nobody else wanted a part in. */
const FIRST_RUN_PIECES = 1
const MAX_RUN_PIECES = 64

export interface OriginPlanParts extends OpenPiecesParts {
  readonly members: ReadonlyMap<string, Member>
  /** Changed here alone. */
  readonly taking: Set<number>
}

export interface OriginPlanInit {
  readonly self: string
  readonly seedOf: SeedOf
  readonly originPolicy?: OriginPolicy
  readonly isLeech?: boolean
  /** Bytes of the blob. */
  readonly size: number
  readonly groups: PieceGroups
}

export interface OriginRun {
  readonly start: number
  readonly end: number
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
  /** Undefined: we give nothing. */
  readonly #standing: number | undefined
  readonly #policy: OriginPolicy
  readonly #isLeech: boolean
  /** How many may read: of a small blob all, as its pieces cost less than to agree on who does. */
  readonly #readers: number
  /** Of one read, where others take part: of a blob of few groups a whole one, as each request costs a round trip. */
  readonly #leastRunPieces: number
  readonly #patienceMs: number
  readonly #promiseMs: number
  /** How long who says that it reads pieces may take for each. */
  readonly #readingMs: number
  readonly #groups: PieceGroups
  readonly #precedence: Precedence
  /** Open pieces that nobody says it is reading. */
  readonly #free: PieceMask
  /** Of these the ones that may be read now. */
  readonly #candidates: PieceMask
  /** Pieces that a member holds and may yet give. */
  readonly #offered: PieceMask
  /** First pieces of the runs under way. */
  readonly #runs = new Set<number>()
  #runPieces = FIRST_RUN_PIECES
  #retryAtMs = 0
  readonly #pace: OriginPace
  #hasStarted = false
  /** Since when we might have begun to read. */
  #readySinceMs: number | undefined
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
    this.#self = init.seedOf(init.self)
    const pieces = parts.arrived.length
    this.distant = new DistantOwners(init.seedOf)
    this.#policy = init.originPolicy ?? 'balanced'
    this.#isLeech = init.isLeech ?? false
    this.#standing = this.#isLeech ? undefined : standingOf(this.#self)
    this.#groups = init.groups
    this.#precedence = new Precedence({ self: this.#self, pieces, groups: init.groups })
    this.#free = new PieceMask(pieces)
    this.#candidates = new PieceMask(pieces)
    this.#offered = new PieceMask(pieces)
    const isSmall = pieces <= SMALL_PIECES
    this.#readers = isSmall ? Infinity : READERS
    this.#leastRunPieces = pieces / init.groups.length < READERS ? init.groups.length : FIRST_RUN_PIECES
    this.#patienceMs = isSmall ? SMALL_OWNER_PATIENCE_MS : OWNER_PATIENCE_MS
    this.#promiseMs = isSmall ? SMALL_PROMISE_MS : PROMISE_MS
    this.#readingMs = READING_ALLOWANCE_MS + pieceLength(init.size) / SLOWEST_BYTES_PER_MS
  }

  get taking (): readonly number[] {
    return [...this.#parts.taking]
  }

  isTaking (piece: number): boolean {
    return this.#parts.taking.has(piece)
  }

  /** Whether others may have of us what we read. */
  get isOwner (): boolean {
    return this.#policy !== 'never' && !this.#isLeech
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
    if ((this.#parts.taking.size === 0 && !isSigning) || nowMs - this.#promisedMs < this.#promiseMs) return false
    this.#promisedMs = nowMs
    return true
  }

  /** A piece has been read from the origin. */
  read (piece: number, nowMs: number): void {
    this.#parts.taking.delete(piece)
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
    if (this.#knowsNoRanges) this.#parts.taking.clear()
    for (let piece = start; piece < end; piece++) this.#parts.taking.delete(piece)
    this.#readsWhole = false
    if (retryAtMs > 0) this.#runPieces = FIRST_RUN_PIECES
    this.#retryAtMs = Math.max(this.#retryAtMs, retryAtMs)
  }

  /** The origin sends all of the blob whatever is asked: what we read goes on to its end. @returns the pieces that it brings */
  wholeComes (): readonly number[] {
    const { arrived } = this.#parts
    this.#knowsNoRanges = true
    this.#readsWhole = true
    for (let piece = 0; piece < arrived.length; piece++) if (!arrived.has(piece)) this.#parts.taking.add(piece)
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
    const ranking = this.#rank(contenders)
    if (!this.#isStarted(ranking, nowMs)) return undefined
    // who is no reader steps in where nothing comes, however slow those are that read
    const helps = ranking.isReader || (this.#isLeech && !ranking.isCrowded)
    this.#markFree(nowMs)
    const isQuicker = this.#isQuicker(nowMs)
    const isNarrow = !isQuicker && !this.#knowsNoRanges && idleMs <= this.#patienceMs
    const candidates = isNarrow ? this.#candidates.assign(this.#free).within(this.#precedence.own) : this.#free
    if (candidates.next(0) === -1) return helps ? this.#nextForOthers(nowMs) : undefined
    const offered = this.#markOffered(nowMs)
    const isOurs = (piece: number): boolean => candidates.has(piece) && (offered.has(piece) ? isQuicker : this.#isOwner(piece, idleMs))
    const start = this.#start(heads, contenders.length === 0, candidates, isOurs)
    if (start === undefined) return helps ? this.#nextForOthers(nowMs, offered) : undefined
    let end = start + 1
    // alone we may only know nobody yet, and read less at first
    const run = contenders.length > 0 ? Math.max(this.#runPieces, this.#leastRunPieces) : this.#runPieces
    while (end - start < Math.min(run, longest) && end < this.#parts.arrived.length && isOurs(end)) end++
    this.#runPieces = Math.min(MAX_RUN_PIECES, this.#runPieces * 2)
    return this.#begin(nowMs, { start, end })
  }

  /**
   * Nothing is ours: what slower owners have not begun, that first for which fewest rank before us. Of those the piece that its
   * owner would read last, if we are the next in rank; others who are spare have the same claim on all else, so there each goes
   * its own way, or two that end a piece at the same time would read the same all along.
   */
  #nextForOthers (nowMs: number, offered?: PieceMask): OriginRun | undefined {
    if (this.#parts.taking.size === 0) this.#spare.begin(nowMs)
    if (this.#knowsNoRanges || !this.#spare.suffices(nowMs, 1)) return undefined
    const ranked = this.#candidates.assign(this.#free).within(this.#precedence.ranked)
    if (ranked.next(0) === -1) return undefined
    const unread = ranked.without(offered ?? this.#markOffered(nowMs))
    const { length } = this.#parts.arrived
    let best: { piece: number, before: number, turn: number } | undefined
    for (let piece = unread.next(0); piece !== -1; piece = unread.next(piece + 1)) {
      const before = this.#precedence.before(piece)
      const owner = before === undefined || !this.#spare.suffices(nowMs, before) ? undefined : this.#precedence.owner(piece)
      if (before === undefined || owner === undefined || !isOurTurn(owner, before, nowMs)) {
        piece = this.#groups.last(piece)
        continue
      }
      const turn = before === 1 ? (piece + length - this.#first(owner.ownership)) % length : this.#self.order(piece)
      if (best === undefined || before < best.before || (before === best.before && turn > best.turn)) best = { piece, before, turn }
    }
    return best === undefined ? undefined : this.#begin(nowMs, { start: best.piece, end: best.piece + 1 })
  }

  #begin (nowMs: number, run: OriginRun): OriginRun {
    for (let piece = run.start; piece < run.end; piece++) this.#parts.taking.add(piece)
    if (this.#runs.size === 0) this.#pace.resumed(nowMs)
    this.#promisedMs = nowMs
    this.#runs.add(run.start)
    return run
  }

  /** Finds out who reads from the origin. */
  #rank (contenders: readonly Member[]): ReaderRanking {
    const { foremost } = this.distant
    const ranking = rankReaders(this.#standing, [...contenders, ...foremost], this.#readers)
    const isAbove = ({ standing }: Standing): boolean => standing >= ranking.bar
    this.#precedence.among(contenders.filter(isAbove), foremost.filter(isAbove), ranking.isReader)
    return ranking
  }

  /** Where there are many, who stands highest begins, and the others one by one, or those who know only few yet would all begin at once. */
  #isStarted ({ isReader, isCrowded, above }: ReaderRanking, nowMs: number): boolean {
    this.#readySinceMs ??= nowMs
    return !isReader || !isCrowded || nowMs - this.#readySinceMs >= above * START_STEP_MS
  }

  /** Marks what is neither here nor on its way to us, and what nobody says that it is reading. */
  #markFree (nowMs: number): void {
    markOpen(this.#free, this.#parts)
    for (const member of this.#parts.members.values()) {
      if (member.taking.size === 0 || !this.#isReading(member, nowMs)) continue
      for (const piece of member.taking) this.#free.delete(piece)
    }
  }

  /** Whether a member that has promised to read pieces may still be doing so: it says so, and not for ever. */
  #isReading ({ heardAtMs, takingSinceMs }: Member, nowMs: number): boolean {
    const maySurpass = this.#policy !== 'frugal' && !this.#knowsNoRanges && this.#spare.suffices(nowMs, 1)
    if (maySurpass && this.#pace.isMuchSlower(nowMs - takingSinceMs)) return false
    return nowMs - heardAtMs < 2 * this.#patienceMs && nowMs - takingSinceMs < this.#readingMs
  }

  #markOffered (nowMs: number): PieceMask {
    this.#offered.clear()
    for (const member of this.#parts.members.values()) member.offer(this.#offered, nowMs)
    return this.#offered
  }

  /** Others that may own what they lack. */
  #contenders (nowMs: number): Member[] {
    return [...this.#parts.members.values()].filter(member => member.isOwner && nowMs - member.heardAtMs < this.#patienceMs)
  }

  #isOwner (missing: number, idleMs: number): boolean {
    // who reads a part reads all
    const before = this.#precedence.before(this.#knowsNoRanges ? 0 : missing)
    if (before === undefined || before === 0) return before === 0
    return before * this.#patienceMs <= idleMs && idleMs > this.#patienceMs
  }

  /** The first that a reader waits for; alone the first of all; else from a place of our own on. */
  #start (heads: readonly number[], isAlone: boolean, candidates: PieceMask, isOurs: (piece: number) => boolean): number | undefined {
    const place = (isAlone || heads.length > 0 ? heads[0] ?? 0 : this.#first(this.#self)) % this.#parts.arrived.length
    const from = isAlone ? place : place - place % this.#leastRunPieces
    for (let piece = candidates.next(from); piece !== -1; piece = candidates.next(piece + 1)) if (isOurs(piece)) return piece
    for (let piece = candidates.next(0); piece !== -1 && piece < from; piece = candidates.next(piece + 1)) if (isOurs(piece)) return piece
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
