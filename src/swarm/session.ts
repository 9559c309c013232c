import { Availability } from './availability.ts'
import { Bitfield } from './bitfield.ts'
import { Doubts } from './doubts.ts'
import { RequestLedger } from './ledger.ts'
import { LEAST_PATIENCE_MS, Member, type MemberFacts } from './member.ts'
import { OriginPlan, type OriginPolicy } from './origin-plan.ts'
import { OwnershipSeed, standingOf, type SeedOf } from './ownership.ts'
import { Picker } from './picker.ts'
import { PieceGroups } from './piece-groups.ts'
import { pieceCount, pieceLength } from './pieces.ts'
import { foremostOf, rankReaders, READERS, type Standing } from './readers.ts'

/** A piece that no more members have than this part of all is rare. */
const RARE_SHARE = 1 / 8
/** Who has so many of all pieces will have them all soon. */
const MOST_SHARE = 1 / 2

export type RejectReason = 'busy' | 'missing' | 'denied' | 'cancelled'

/** `origin`, or the peer id of a member. */
export type PieceSource = string

/** What the session wants done. */
export type Decision =
  | { readonly type: 'request', readonly member: string, readonly piece: number }
  | { readonly type: 'cancel', readonly member: string, readonly piece: number }
  /** Read the pieces `start` (inclusive) to `end` (exclusive) from the origin, in order. */
  | { readonly type: 'take', readonly start: number, readonly end: number }
  /** Of the run under way read the pieces `start` to `end`, its last, no more: others have come, who may want them. */
  | { readonly type: 'release', readonly start: number, readonly end: number }
  /** Another reads the whole from an origin that knows no ranges: stop reading it. */
  | { readonly type: 'yield' }

export interface SessionInit {
  /** Our own peer id. */
  readonly self: string
  readonly digest: string
  /** Bytes of the blob. */
  readonly size: number
  /** Pieces that are here and right already. */
  readonly held?: Iterable<number>
  /** @default 'balanced' */
  readonly originPolicy?: OriginPolicy
  /** We give nothing: nobody waits for what we read. @default false */
  readonly isLeech?: boolean
  /** All pieces are here and right. @default false */
  readonly isSeed?: boolean
  /** Sessions of one blob that live in one process may share what they compute of its agents. @default computed anew */
  readonly seedOf?: SeedOf
}

/** What bears on a decision beside the facts. */
export interface DecideInit {
  /** Requests that may be begun, at the most. */
  readonly room: number
  /** Reads from the origin that may be begun, at the most. */
  readonly runs: number
  /** Requests that one member may have at a time. */
  readonly window: number
  /** Pieces of one such read, at the most. @default as many as it would have anyway */
  readonly longestRun?: number
  /** There is nobody who could take part: no other agent was ever linked to us. @default false */
  readonly isAlone?: boolean
}

/**
 * One blob being fetched, as a state machine: told facts, asked for decisions. It knows who takes part and what is where,
 * on its way and here; it holds no socket, timer or promise, and the time is passed in (milliseconds of any clock that
 * only goes forward). The agent and the simulator run it unchanged.
 *
 * What bears on whom a piece is asked of: who holds it (and is not busy, resting or a leech); what a waiting reader
 * needs next; how rare it is; a stable order of our own among equals; near members before far ones; whom we wait for
 * least. What bears on who reads a piece from the origin: see `OriginPlan`.
 */
export class Session {
  readonly size: number
  /** Of all pieces but perhaps the last, in bytes. */
  readonly pieceLength: number
  /** Pieces that are here and right. */
  readonly held: Bitfield
  readonly #arrived: Bitfield
  readonly #members = new Map<string, Member>()
  readonly #availability: Availability
  readonly #ledger: RequestLedger
  readonly #seedOf: SeedOf
  readonly #self: string
  readonly #standing: number
  readonly #origin: OriginPlan
  readonly #picker: Picker
  readonly #decisions: Decision[] = []
  readonly #doubts: Doubts
  /** Pieces at which readers wait. */
  #heads: readonly number[] = []
  #isOriginOnly = false

  constructor (init: SessionInit) {
    const pieces = pieceCount(init.size)
    this.size = init.size
    this.pieceLength = pieceLength(init.size)
    this.held = new Bitfield(pieces)
    this.#arrived = new Bitfield(pieces)
    this.#seedOf = init.seedOf ?? (peer => new OwnershipSeed(init.digest, peer))
    this.#self = init.self
    this.#availability = new Availability(pieces)
    this.#doubts = new Doubts(this.#members, this.#availability)
    this.#ledger = new RequestLedger(pieces)
    for (const piece of init.isSeed === true ? Bitfield.full(pieces) : init.held ?? []) {
      this.held.add(piece)
      this.#arrived.add(piece)
    }
    const parts = { members: this.#members, availability: this.#availability, ledger: this.#ledger, arrived: this.#arrived, taking: new Set<number>() }
    const groups = new PieceGroups(init.size)
    const seed = this.#seedOf(init.self)
    this.#standing = standingOf(seed)
    this.#picker = new Picker(parts, seed, groups)
    this.#origin = new OriginPlan(parts, { ...init, seedOf: this.#seedOf, groups })
  }

  /** Pieces in all. */
  get pieces (): number {
    return this.held.length
  }

  get isComplete (): boolean {
    return this.held.isFull
  }

  get members (): ReadonlyMap<string, Member> {
    return this.#members
  }

  get availability (): Availability {
    return this.#availability
  }

  /** Pieces asked of members and not here yet. */
  get requested (): number {
    return this.#ledger.count
  }

  /** Pieces that have arrived and are not known to be right yet. */
  get unverified (): number {
    return this.#arrived.count - this.held.count
  }

  /** Requests that are not overdue: those that fill the pipe. */
  onTime (nowMs: number): number {
    return this.#picker.onTime(nowMs)
  }

  /** Pieces that we read from the origin now, ascending. */
  get taking (): readonly number[] {
    return this.#origin.taking
  }

  /**
   * Whether the others should hear again that we read these: we have said nothing for a while.
   * @param isSigning - we have read some that others cannot have before their hashes are signed
   */
  isPromiseDue (nowMs: number, { isSigning = false }: { isSigning?: boolean } = {}): boolean {
    return this.#origin.isPromiseDue(nowMs, isSigning)
  }

  /** Whether we read the piece from the origin now. */
  isTaking (piece: number): boolean {
    return this.#origin.isTaking(piece)
  }

  /** Others fetch the blob too, beyond the members: they own their share of what is read from the origin. */
  knows (ids: Iterable<string>): void {
    for (const id of ids) if (id !== this.#self && !this.#members.has(id)) this.#origin.distant.add(id)
  }

  /** Those of all we know that read from the origin, or will, the highest first: whom others should know of. */
  get foremost (): string[] {
    return this.#foremost().map(({ name }) => name)
  }

  /** The others that read from the origin while we do: each should hear from the others themselves what they read, and see when one is gone. */
  get fellows (): string[] {
    if (!this.#origin.isOwner || this.isComplete) return []
    const foremost = this.#foremost()
    return rankReaders(this.#standing, foremost).isReader ? foremost.slice(0, READERS - 1).map(({ name }) => name) : []
  }

  /**
   * Members that stand higher than we, have most pieces, and may read from the origin, as those no longer do that have the right whole:
   * where one does what all who have all pieces need, they come first.
   */
  get membersAbove (): number {
    const most = this.pieces * MOST_SHARE
    let above = 0
    for (const { standing, isLeech, readsOrigin, held } of this.#members.values()) if (!isLeech && readsOrigin && held.count >= most && standing > this.#standing) above++
    return above
  }

  /** Whether hardly any member has the piece. */
  isRare (piece: number): boolean {
    return this.#availability.of(piece) <= this.#members.size * RARE_SHARE
  }

  /** Nobody reaches it: it reads nothing for us. */
  unreachable (id: string): void {
    this.#origin.distant.dismiss(id)
  }

  /** Whether it lies beyond a border while a member on our side lacks a part, which comes first then. */
  isOutsider (id: string): boolean {
    if (this.#members.get(id)?.isNear !== false) return false
    for (const { isNear, held } of this.#members.values()) if (isNear && !held.isFull) return true
    return false
  }

  /** Whether we have asked the member for something that it has not answered yet. */
  isAsked (id: string): boolean {
    const member = this.#members.get(id)
    return member !== undefined && (member.requests.length > 0 || member.calledOff.size > 0)
  }

  /** A member takes part; if it did already, what it said before no longer holds. */
  joined (id: string, facts: MemberFacts, nowMs: number): void {
    const known = this.#members.get(id)
    if (known !== undefined) this.#discount(known)
    const member = known ?? this.#newMember(id, nowMs)
    this.#members.set(id, member)
    this.#picker.membersChanged()
    this.#origin.distant.met(id)
    member.stated(this.#doubts.has(id) ? { ...facts, isLeech: true } : facts, nowMs)
    if (!member.isLeech) this.#availability.joined(member.held)
  }

  /** A member holds these too. Unknown members and pieces are the caller's to judge. */
  has (id: string, pieces: Iterable<number>, nowMs: number): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    member.heardAtMs = nowMs
    for (const piece of pieces) this.#gained(member, piece, nowMs)
  }

  /** A member reads these from the origin now. */
  takes (id: string, pieces: Iterable<number>, nowMs: number): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    member.heardAtMs = nowMs
    member.takes(pieces, nowMs)
  }

  /** A member no longer reads these from the origin. */
  releases (id: string, pieces: Iterable<number>, nowMs: number): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    member.heardAtMs = nowMs
    member.releases(pieces, nowMs)
    this.#origin.released()
  }

  /**
   * A member has left, is unreachable, or is not to be asked any more.
   * @param goesOn - it fetches the blob with others
   */
  gone (id: string, { goesOn = false }: { readonly goesOn?: boolean } = {}): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    this.#discount(member)
    for (const { piece } of [...member.requests]) this.#ledger.remove(member, piece)
    this.#members.delete(id)
    this.#picker.membersChanged()
    this.#origin.left(member)
    if (!goesOn) this.#origin.distant.dismiss(id)
    else if (member.isOwner) this.#origin.distant.add(id)
  }

  /** A member will not send a piece that we asked of it. */
  rejected (id: string, piece: number, reason: RejectReason, nowMs: number): void {
    const member = this.#members.get(id)
    if (member === undefined || member.answered(piece) || this.#ledger.remove(member, piece) === undefined) return
    switch (reason) {
      case 'busy':
        member.refused(nowMs)
        break
      case 'missing':
      case 'denied':
        if (!member.held.remove(piece)) break
        member.distrust()
        if (!member.isLeech) this.#availability.lost(piece)
        break
      case 'cancelled':
        break
      default:
        reason satisfies never
    }
  }

  /** What has arrived of a member is of no use, and it has nothing else of this piece: until it says again that it has it. */
  useless (id: string, piece: number): void {
    this.#doubts.useless(id, piece)
  }

  /**
   * What another has vouched for may be wrong: it is asked for nothing more, and is waited for in nothing. Whoever else holds these
   * pieces has them on the same word, as far as we know, and is asked for them when it says again that it has them; but not who has all
   * and reads nothing more from the origin, as it has the right whole, until what it gives of these proves to be on that word.
   */
  doubt (id: string, pieces: readonly number[]): void {
    this.#doubts.add(id, pieces)
  }

  /** Without those that are doubted it goes no further: what they and others have counts again. @returns whether anybody was doubted */
  relent (nowMs: number): boolean {
    const { wereAny, setAside } = this.#doubts.end()
    for (const [id, pieces] of setAside) this.has(id, pieces, nowMs)
    return wereAny
  }

  /** Whether a piece that comes from this member was asked of it: now, or before it was called off. */
  expects (id: string, piece: number): 'asked' | 'called-off' | undefined {
    const member = this.#members.get(id)
    if (member === undefined) return undefined
    if (this.#ledger.has(member, piece)) return 'asked'
    return member.calledOff.has(piece) ? 'called-off' : undefined
  }

  /** So many requests come before another at a member, it says; none while it would begin with one at once. */
  queued (id: string, queue: number): void {
    const member = this.#members.get(id)
    if (member !== undefined) member.queue = queue
  }

  /** A member goes on reading from the origin, or no longer does. */
  readsOrigin (id: string, reads: boolean, nowMs: number): void {
    const member = this.#members.get(id)
    if (member === undefined) return
    if (reads) member.readsOrigin = true
    else member.stopsReading(nowMs)
  }

  /** Bytes of a piece came from a member: it is alive. */
  progressed (id: string, nowMs: number): void {
    this.#members.get(id)?.progressed(nowMs)
    this.#origin.progressed(nowMs)
  }

  /** We did not read what a member sends: until then no time runs against what was asked of it. */
  heldUp (id: string, untilMs: number): void {
    const member = this.#members.get(id)
    if (member !== undefined) member.heldUpAtMs = Math.max(member.heldUpAtMs, untilMs)
  }

  /** For so many milliseconds we have done nothing, as others had the processor: that time runs against nobody. */
  stalled (ms: number, nowMs: number): void {
    for (const member of this.#members.values()) member.excuse(ms, nowMs)
    this.#origin.stalled(ms, nowMs)
  }

  /** Bytes of a piece came from the origin. */
  originProgressed (nowMs: number): void {
    this.#origin.progressed(nowMs)
  }

  /** All bytes of a piece are here, from a member or the origin; whether they are right is being found out. */
  arrived (piece: number, from: PieceSource, nowMs: number): void {
    if (from === 'origin') this.#origin.read(piece, nowMs)
    this.#members.get(from)?.answered(piece)
    const giver = this.#ledger.ofPiece(piece).find(({ member }) => member.id === from)
    if (giver !== undefined) {
      this.#ledger.remove(giver.member, piece)
      giver.member.delivered(nowMs - giver.askedAtMs, nowMs)
      this.#picker.membersChanged()
    }
    this.#callOffAll(piece)
    if (!this.#arrived.add(piece)) return
    this.#picker.arrived(nowMs)
    this.#origin.arrived(nowMs)
  }

  /** The piece is right, as far as can be known now. */
  verified (piece: number): void {
    this.#arrived.add(piece)
    this.held.add(piece)
  }

  /** The piece is not here after all: its bytes were wrong, or are forgotten. */
  lost (piece: number): void {
    this.#arrived.remove(piece)
    this.held.remove(piece)
  }

  /** Whether somebody else may bring us further: a member holds what we lack, or reads it, or has been asked. */
  isHelped (nowMs: number): boolean {
    if (this.#ledger.count > 0) return true
    for (const member of this.#members.values()) {
      if (member.isLeech) continue
      if (member.readsOrigin || member.taking.size > 0) return true
      if (nowMs < member.restUntilMs && member.isExhausted) continue
      if (member.held.exceeds(this.#arrived)) return true
    }
    return false
  }

  /** Whether the origin can be asked now or will be in a moment. */
  originOpen (nowMs: number): boolean {
    return this.#origin.isOpen(nowMs)
  }

  /** The origin knows no ranges: what is read goes on to the end of the blob. @returns the pieces that it brings, ascending */
  wholeComes (): readonly number[] {
    return this.#origin.wholeComes()
  }

  /** Members are asked for nothing any more, and all that is not here comes from the origin; they may have it of us. */
  useOriginOnly (): void {
    this.#isOriginOnly = true
    this.#origin.useOriginOnly()
  }

  get isOriginOnly (): boolean {
    return this.#isOriginOnly
  }

  /** Readers wait at these pieces, the most urgent first. */
  wanted (heads: readonly number[]): void {
    this.#heads = heads
  }

  /** When to decide again though nothing happens, in milliseconds: a read from the origin may begin then. Undefined: at any time. */
  get dueMs (): number | undefined {
    return this.#origin.startsAtMs
  }

  /** Whether the origin can be asked at all, now. */
  originReady (isReady: boolean): void {
    this.#origin.isReady = isReady
  }

  /** Reading [start, end) has ended; what of it has not arrived is free again. After a failure the origin rests until `retryAtMs`. */
  originEnded (start: number, end: number, retryAtMs = 0): void {
    this.#origin.ended(start, end, retryAtMs)
  }

  /** What to do now. Call it after facts, and some times a second while the session is not complete. */
  decide (nowMs: number, { room, runs, window, longestRun, isAlone }: DecideInit): Decision[] {
    this.#expire(nowMs)
    const decisions = this.#decisions.splice(0)
    if (this.#arrived.isFull) return decisions
    if (this.#origin.yields(nowMs)) decisions.push({ type: 'yield' })
    const released = this.#origin.releases()
    if (released !== undefined) decisions.push({ type: 'release', ...released })
    for (let left = runs; left > 0; left--) {
      const run = this.#origin.next(nowMs, this.#heads, { longest: longestRun, isAlone })
      if (run === undefined) break
      for (let piece = run.start; piece < run.end; piece++) this.#callOffAll(piece)
      decisions.push(...this.#decisions.splice(0), { type: 'take', ...run })
    }
    if (room > 0 && !this.#isOriginOnly) this.#ask(nowMs, room, window, decisions)
    return decisions
  }

  #ask (nowMs: number, room: number, window: number, decisions: Decision[]): void {
    let left = room
    for (const { member, piece } of this.#picker.picks(nowMs, this.#heads, window)) {
      this.#ledger.add({ member, piece, askedAtMs: nowMs })
      decisions.push({ type: 'request', member: member.id, piece })
      if (--left === 0) return
    }
  }

  /** A member that has sent nothing for too long loses all its requests. */
  #expire (nowMs: number): void {
    if (!this.#ledger.hasOlder(nowMs, LEAST_PATIENCE_MS)) return
    for (const member of this.#ledger.members) {
      if (!member.isOverdue(nowMs)) continue
      member.lapsed(nowMs)
      for (const { piece } of [...member.requests]) {
        this.#ledger.remove(member, piece)
        this.#callOff(member, piece)
      }
    }
  }

  #foremost (): Array<Standing & { readonly name: string }> {
    const members: Array<Standing & { readonly name: string }> = []
    for (const { id, standing, isOwner } of this.#members.values()) if (isOwner) members.push({ name: id, standing })
    return foremostOf([...members, ...this.#origin.distant.foremost])
  }

  #newMember (id: string, nowMs: number): Member {
    const member = new Member(id, this.#seedOf(id), this.pieces, nowMs)
    this.#origin.came(member)
    return member
  }

  /** It comes from elsewhere: nobody is asked for it any more. */
  #callOffAll (piece: number): void {
    for (const { member } of [...this.#ledger.ofPiece(piece)]) {
      this.#ledger.remove(member, piece)
      this.#callOff(member, piece)
    }
  }

  #callOff (member: Member, piece: number): void {
    member.callOff(piece)
    this.#decisions.push({ type: 'cancel', member: member.id, piece })
  }

  #gained (member: Member, piece: number, nowMs: number): void {
    const tookMs = member.has(piece, nowMs)
    if (tookMs > 0) this.#origin.othersRead(tookMs)
    if (member.held.add(piece) && !member.isLeech) this.#availability.gained(piece)
  }

  /** What a leech holds nobody can get, so it never counted. */
  #discount (member: Member): void {
    if (!member.isLeech) this.#availability.left(member.held)
  }
}
