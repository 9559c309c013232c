import { DistantOwners } from './distant-owners.ts'
import type { Member } from './member.ts'
import { markUnread, type OpenPiecesParts } from './open-pieces.ts'
import { OriginPace } from './origin-pace.ts'
import { standingOf, type OwnershipSeed, type SeedOf } from './ownership.ts'
import type { PieceGroups } from './piece-groups.ts'
import { PieceMask } from './piece-mask.ts'
import { pieceLength, SMALL_PIECES } from './pieces.ts'
import { Precedence } from './precedence.ts'
import { PromiseBreakers } from './promise-breakers.ts'
import { ReaderStart } from './reader-start.ts'
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
/** Where others take long for what they read, as processors are scarce, so many times as long; but no longer than that, in milliseconds. */
const OWNER_PATIENCE_FACTOR = 4
const MAX_OWNER_PATIENCE_MS = 4000
/** Who reads from the origin says so again after so long, however slow it is: twice before it is passed over. Milliseconds. */
const PROMISE_MS = 700
const SMALL_PROMISE_MS = 240
/** Bytes that come count as pieces that do for so long, in milliseconds: links may be slow, but nobody may stall us so. */
const PROGRESS_ALLOWANCE_MS = 6000
/** From one piece that somebody reads to the next: so long, and what the piece needs at this pace. */
const READING_ALLOWANCE_MS = 6000
const SLOWEST_BYTES_PER_MS = 250
/** So few missing pieces are the last: all of them are asked for. */
const LAST_PIECES = 8
/** When nothing has come from anybody for so long, nobody's word keeps us from reading, in milliseconds: a fetch is given up a little later. */
const DESPAIR_MS = 20_000
/** Who has been at a piece for so long is slow, in milliseconds. */
const SLOW_MS = 1000
/** Between the turns of those who would read for a slow owner: until they have heard of each other, in milliseconds. */
const TURN_MS = 60
/** Turns of a round: as many who are spare do not meet. */
const TURNS = 4
/** Who reads much more slowly than others leaves it to them for so long, twice as long each time, in milliseconds. */
const OUTPACED_REST_MS = 5_000
const MAX_OUTPACED_REST_MS = 60_000
/** Pieces of one read; doubles with each that nobody else wanted a part in. */
const FIRST_RUN_PIECES = 1
const MAX_RUN_PIECES = 64
/** Where nobody could want a part the first read is so long, in bytes: more would keep the place at the origin from other blobs. */
const FIRST_LONE_RUN_BYTES = 16 * 1024 * 1024

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

/** Pieces `start` (inclusive) to `end` (exclusive). */
export interface OriginRun {
  readonly start: number
  readonly end: number
}

export interface OriginRunLimits {
  /** Pieces of one read, at the most. @default as many as it would have anyway */
  readonly longest?: number
  /** There is nobody who could take part: no other agent was ever linked to us. @default false */
  readonly isAlone?: boolean
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
  readonly #leastPatienceMs: number
  readonly #promiseMs: number
  /** How long who says that it reads pieces may take for each. */
  readonly #readingMs: number
  readonly #groups: PieceGroups
  readonly #precedence: Precedence
  /** Open pieces that nobody says it is reading. */
  readonly #free: PieceMask
  /** Of these the ones that may be read now. */
  readonly #candidates: PieceMask
  /** Pieces that members hold and may yet give. */
  readonly #offered: PieceMask
  /** First pieces of the runs under way. */
  readonly #runs = new Set<number>()
  #runPieces = FIRST_RUN_PIECES
  /** The first run of who has nobody. */
  readonly #loneRunPieces: number
  /** The run under way, if it was begun where nobody was. */
  #loneRun: OriginRun | undefined
  #retryAtMs = 0
  #outpacedRestMs = OUTPACED_REST_MS
  readonly #pace: OriginPace
  #hasStarted = false
  readonly #starting = new ReaderStart()
  readonly #spare = new SpareTime()
  readonly #breakers = new PromiseBreakers()
  #lastArrivalMs = 0
  #lastProgressMs = 0
  /** When the others last heard that we read. */
  #promisedMs = 0
  /** The origin gives all or nothing. */
  #knowsNoRanges = false
  #readsWhole = false
  /** What members hold or read counts for nothing. */
  #isOriginOnly = false
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
    this.#loneRunPieces = Math.ceil(FIRST_LONE_RUN_BYTES / pieceLength(init.size))
    this.#precedence = new Precedence({ self: this.#self, pieces, groups: init.groups })
    this.#free = new PieceMask(pieces)
    this.#candidates = new PieceMask(pieces)
    this.#offered = new PieceMask(pieces)
    const isSmall = pieces <= SMALL_PIECES
    this.#readers = isSmall ? Infinity : READERS
    this.#leastRunPieces = pieces / init.groups.length < READERS ? init.groups.length : FIRST_RUN_PIECES
    this.#leastPatienceMs = isSmall ? SMALL_OWNER_PATIENCE_MS : OWNER_PATIENCE_MS
    this.#promiseMs = isSmall ? SMALL_PROMISE_MS : PROMISE_MS
    this.#readingMs = READING_ALLOWANCE_MS + pieceLength(init.size) / SLOWEST_BYTES_PER_MS
  }

  /** Ascending. */
  get taking (): readonly number[] {
    return [...this.#parts.taking].sort((a, b) => a - b)
  }

  isTaking (piece: number): boolean {
    return this.#parts.taking.has(piece)
  }

  /** When we may begin to read, if that is what we wait for: `next` is to be asked then. */
  get startsAtMs (): number | undefined {
    return this.#starting.atMs
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

  /** For so many milliseconds we have done nothing: what may have come meanwhile is not known yet. */
  stalled (ms: number, nowMs: number): void {
    this.#lastArrivalMs = Math.min(nowMs, this.#lastArrivalMs + ms)
    this.#lastProgressMs = Math.min(nowMs, this.#lastProgressMs + ms)
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

  /** A member leaves pieces unread: those who are spare do not all read them at once. */
  released (): void {
    this.#spare.shared()
  }

  /** A member has left. */
  left (member: Member): void {
    this.#spare.shared()
    this.#breakers.left(member)
  }

  /** A member has come. */
  came (member: Member): void {
    this.#breakers.came(member)
  }

  ended (start: number, end: number, retryAtMs: number): void {
    this.#runs.delete(start)
    if (this.#loneRun?.start === start) this.#loneRun = undefined
    if (this.#knowsNoRanges) this.#parts.taking.clear()
    for (let piece = start; piece < end; piece++) this.#parts.taking.delete(piece)
    this.#readsWhole = false
    if (retryAtMs > 0) this.#runPieces = FIRST_RUN_PIECES
    this.#retryAtMs = Math.max(this.#retryAtMs, retryAtMs)
  }

  /** The origin sends all of the blob whatever is asked: what we read goes on to its end. @returns the pieces that it brings, ascending */
  wholeComes (): readonly number[] {
    const { arrived } = this.#parts
    this.#knowsNoRanges = true
    this.#readsWhole = true
    this.#loneRun = undefined
    for (let piece = 0; piece < arrived.length; piece++) if (!arrived.has(piece)) this.#parts.taking.add(piece)
    return this.taking
  }

  /** From now on all is read from the origin, by us. */
  useOriginOnly (): void {
    this.#isOriginOnly = true
    this.distant.close()
  }

  /** Whether we stop reading what we read, since others do better. */
  yields (nowMs: number): boolean {
    if (this.#isOriginOnly) return false
    return this.#readsWhole ? this.#yieldsWhole(nowMs) : this.#yieldsToQuicker(nowMs)
  }

  /** Whether we are so much slower than the others who read that these have it sooner from the origin than from us. If so we rest. */
  #yieldsToQuicker (nowMs: number): boolean {
    if (this.#runs.size === 0 || nowMs < this.#retryAtMs || !this.#pace.isOutpaced(nowMs) || this.#contenders(nowMs).length === 0) return false
    this.#retryAtMs = nowMs + this.#outpacedRestMs
    this.#outpacedRestMs = Math.min(MAX_OUTPACED_REST_MS, 2 * this.#outpacedRestMs)
    return true
  }

  /** Whether another reads the whole too, and ranks higher: those who began at once see it alike, and one goes on. */
  #yieldsWhole (nowMs: number): boolean {
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

  /**
   * What of a long run is left to others, now that somebody has come: all but what would have been read in one go had runs
   * doubled from the first. So who comes has its share, as if it had been waited for.
   */
  releases (): OriginRun | undefined {
    const run = this.#loneRun
    if (run === undefined || this.#parts.members.size === 0) return undefined
    this.#loneRun = undefined
    let reading = run.start
    while (reading < run.end && this.#parts.arrived.has(reading)) reading++
    let pieces = FIRST_RUN_PIECES
    while (run.start + pieces <= reading) pieces = 2 * pieces + FIRST_RUN_PIECES
    const start = run.start + pieces
    if (start >= run.end) return undefined
    for (let piece = start; piece < run.end; piece++) this.#parts.taking.delete(piece)
    this.#runPieces = Math.min(MAX_RUN_PIECES, pieces + FIRST_RUN_PIECES)
    return { start, end: run.end }
  }

  /** The next read, if one is ours to begin, of so many pieces at the most. */
  next (nowMs: number, heads: readonly number[], { longest = Infinity, isAlone = false }: OriginRunLimits = {}): OriginRun | undefined {
    this.#noteStart(nowMs)
    if (this.#policy === 'never' || !this.isReady || nowMs < this.#retryAtMs) return undefined
    const contenders = this.#isOriginOnly ? [] : this.#contenders(nowMs)
    const sincePieceMs = nowMs - this.#lastArrivalMs
    const idleMs = Math.min(sincePieceMs, Math.max(nowMs - this.#lastProgressMs, sincePieceMs - PROGRESS_ALLOWANCE_MS))
    if (idleMs > this.#patienceMs) this.distant.close()
    const ranking = this.#rank(contenders)
    if (this.#readers !== Infinity && !this.#starting.mayBegin(ranking, nowMs, { hasDistant: this.distant.size > 0 })) return undefined
    // who is no reader steps in where nothing comes, however slow those are that read
    const helps = ranking.isReader || (this.#isLeech && !ranking.isCrowded)
    const binds = this.#offersBind(idleMs)
    this.#markFree(nowMs, idleMs, binds)
    const isQuicker = this.#isQuicker(nowMs)
    const isNarrow = binds && !isQuicker && !this.#knowsNoRanges && idleMs <= this.#patienceMs
    const candidates = isNarrow ? this.#candidates.assign(this.#free).within(this.#precedence.own) : this.#free
    if (candidates.next(0) === -1) return helps ? this.#nextForOthers(nowMs) : undefined
    const offered = this.#markOffered(nowMs, idleMs)
    const isOurs = (piece: number): boolean => {
      if (!candidates.has(piece)) return false
      if (!binds) return this.#isNextOfLast(piece, contenders, idleMs)
      return offered.has(piece) ? isQuicker : this.#isOwner(piece, idleMs)
    }
    const start = this.#start(heads, contenders.length === 0, candidates, isOurs)
    if (start === undefined) return helps ? this.#nextForOthers(nowMs) : undefined
    let end = start + 1
    // with nobody known at all as much as is safe; linked to some who may know others, little at first
    const least = isAlone ? this.#loneRunPieces : contenders.length > 0 ? this.#leastRunPieces : 0
    const pieces = Math.max(this.#runPieces, least)
    while (end - start < Math.min(pieces, longest) && end < this.#parts.arrived.length && isOurs(end)) end++
    this.#runPieces = Math.min(MAX_RUN_PIECES, 2 * (isAlone ? pieces : this.#runPieces))
    const run = this.#begin(nowMs, { start, end })
    if (isAlone) this.#loneRun = run
    return run
  }

  /**
   * Nothing is ours: what slower owners have not begun, that first for which fewest rank before us. Of those the piece that its
   * owner would read last, if we are the next in rank; others who are spare have the same claim on all else, so there each goes
   * its own way, or two that end a piece at the same time would read the same all along.
   */
  #nextForOthers (nowMs: number): OriginRun | undefined {
    if (this.#parts.taking.size === 0) this.#spare.begin(nowMs)
    if (this.#knowsNoRanges || !this.#isSpare(nowMs, 1)) return undefined
    const ranked = this.#candidates.assign(this.#free).within(this.#precedence.ranked)
    if (ranked.next(0) === -1) return undefined
    // what one has that is busy it has read, and spreads
    const unread = ranked.without(this.#markGiven())
    const { length } = this.#parts.arrived
    let best: { piece: number, before: number, turn: number } | undefined
    for (let piece = unread.next(0); piece !== -1; piece = unread.next(piece + 1)) {
      const before = this.#precedence.before(piece)
      const owner = before === undefined || !this.#isSpare(nowMs, before) ? undefined : this.#precedence.owner(piece)
      if (before === undefined || owner === undefined || !isOurTurn(owner, before, nowMs)) {
        piece = this.#groups.last(piece)
        continue
      }
      const turn = before === 1 ? (piece + length - this.#first(owner.ownership)) % length : this.#self.order(piece)
      if (best === undefined || before < best.before || (before === best.before && turn > best.turn)) best = { piece, before, turn }
    }
    return best === undefined ? undefined : this.#begin(nowMs, { start: best.piece, end: best.piece + 1 })
  }

  /** Whether we have had nothing to read for long enough to read for those before us. */
  #isSpare (nowMs: number, before: number): boolean {
    return this.#spare.suffices(nowMs, before, this.#pace.slowerMs)
  }

  #begin (nowMs: number, run: OriginRun): OriginRun {
    this.#starting.begun()
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

  /**
   * Marks what is neither here nor on its way to us, and what nobody says that it is reading. The last pieces, when they stay away,
   * are on no way; nor is what is asked of those who may give nothing at all.
   */
  #markFree (nowMs: number, idleMs: number, binds: boolean): void {
    markUnread(this.#free, this.#parts)
    if (!binds) return
    for (const member of this.#parts.ledger.members) {
      if (!this.#isHollow(member)) for (const { piece } of member.requests) this.#free.delete(piece)
    }
    if (this.#isOriginOnly || idleMs >= DESPAIR_MS) return
    for (const member of this.#parts.members.values()) {
      if (member.taking.size === 0 || !this.#isReading(member, nowMs)) continue
      for (const piece of member.taking) this.#free.delete(piece)
    }
  }

  /** Whether a member that has promised to read pieces may still be doing so, and gives them: it says so, and not for ever. */
  #isReading (member: Member, nowMs: number): boolean {
    if (!this.#countsOn(member)) return false
    const maySurpass = this.#policy !== 'frugal' && !this.#knowsNoRanges && this.#isSpare(nowMs, 1)
    if (maySurpass && this.#pace.isMuchSlower(nowMs - member.takingSinceMs)) return false
    return nowMs - member.heardAtMs < 2 * this.#patienceMs && member.takingMs(nowMs) < this.#readingMs
  }

  /** As long as pieces come, what those have that are always busy will come too. */
  #markOffered (nowMs: number, idleMs: number): PieceMask {
    const mayBeBusy = idleMs <= this.#leastPatienceMs
    this.#offered.clear()
    for (const member of this.#parts.members.values()) if (this.#countsOn(member)) member.offer(this.#offered, nowMs, { mayBeBusy })
    return this.#offered
  }

  /** Marks what somebody holds who gives it, in time. */
  #markGiven (): PieceMask {
    this.#offered.clear()
    for (const member of this.#parts.members.values()) if (!member.isLeech && !this.#isHollow(member)) this.#offered.unite(member.held)
    return this.#offered
  }

  /** Whether what it holds and promises to read keeps us from reading it. */
  #countsOn (member: Member): boolean {
    return !member.isLeech && !member.isExhausted && !this.#isHollow(member)
  }

  /** Whether it may give nothing at all: who waits for the registry last is slow to think so. */
  #isHollow (member: Member): boolean {
    return member.isHollow && (this.#policy !== 'frugal' || member.isExhausted)
  }

  /** Others that may own what they lack. */
  #contenders (nowMs: number): Member[] {
    return [...this.#parts.members.values()].filter(member => member.isOwner && nowMs - member.heardAtMs < this.#patienceMs)
  }

  #isOwner (missing: number, idleMs: number): boolean {
    // who reads a part reads all
    const before = this.#precedence.before(this.#knowsNoRanges ? 0 : missing)
    if (before === undefined || before === 0) return before === 0
    return Math.min(before * this.#patienceMs, DESPAIR_MS) <= idleMs && idleMs > this.#patienceMs
  }

  /** Of the last pieces, when they stay away, one behind the other reads: of those who lack it, who ranks highest first. */
  #isNextOfLast (missing: number, contenders: readonly Member[], idleMs: number): boolean {
    const group = this.#groups.of(missing)
    const rank = this.#self.rank(group)
    const before = contenders.filter(({ held, ownership }) => !held.has(missing) && (this.#isLeech || ownership.rank(group) > rank)).length
    return idleMs > (before + 1) * this.#leastPatienceMs
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
    if (this.#policy === 'fast' || this.#isOriginOnly) return true
    // all that is here already would come again
    return this.#policy === 'balanced' && !this.#knowsNoRanges && this.#pace.isMuchQuicker(nowMs)
  }

  /** Whether what members hold is left to them: not the last pieces, when they stay away, as who holds them may hang on a link that is too slow. */
  #offersBind (idleMs: number): boolean {
    const { arrived } = this.#parts
    return this.#policy === 'frugal' || this.#knowsNoRanges || idleMs <= this.#leastPatienceMs || arrived.length - arrived.count > LAST_PIECES
  }

  /** After how long without a word an owner is passed over. */
  get #patienceMs (): number {
    return Math.max(this.#leastPatienceMs, Math.min(MAX_OWNER_PATIENCE_MS, OWNER_PATIENCE_FACTOR * this.#pace.othersMs))
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
