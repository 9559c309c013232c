import type { Availability } from './availability.ts'
import type { PendingRequest } from './ledger.ts'
import type { Member } from './member.ts'
import { markOpen, type OpenPiecesParts } from './open-pieces.ts'
import type { OwnershipSeed } from './ownership.ts'
import type { PieceGroups } from './piece-groups.ts'
import { PieceMask } from './piece-mask.ts'
import { SMALL_PIECES } from './pieces.ts'
import { ServiceTimes } from './service-times.ts'

/** A request older than this many usual times no longer counts as filling the pipe, and may be hedged. */
const LATE_FACTOR = 3
const SMALL_LATE_FACTOR = 1.5
const MIN_LATE_MS = 150
/** So few members may all be slow. */
const MANY_LATE = 4
/** Pieces ahead of a waiting reader that come before all others. */
const HEAD_PIECES = 2
/** What so large a part of those who give hold is common: nobody need have it soon so that others can have it of him. */
const COMMON_PART = 1 / 4
/** Above all orders of `OwnershipSeed`. */
const ANY_ORDER = 2 ** 32
/** A piece is asked of so many members at a time at the most. */
const MAX_COPIES = 2
/** After this long a far member may be asked for a piece although a nearer one is to fetch it, in milliseconds. */
const ZONE_PATIENCE_MS = 2000

export interface PickerParts extends OpenPiecesParts {
  readonly members: ReadonlyMap<string, Member>
  readonly availability: Availability
}

export interface PickedRequest {
  readonly member: Member
  readonly piece: number
}

/** What holds for all pieces while one is picked. */
interface PickerView {
  /** Members that can be asked for one more. */
  readonly free: readonly Member[]
  /** The nearer ones have kept us waiting. */
  readonly isImpatient: boolean
}

/** Which piece to ask of whom next. */
export class Picker {
  readonly #parts: PickerParts
  readonly #self: OwnershipSeed
  readonly #groups: PieceGroups
  readonly #lateFactor: number
  readonly #times: ServiceTimes
  /** What free members can give, near ones, and far ones if no near one has it. */
  readonly #near: PieceMask
  readonly #far: PieceMask
  /** What those of them can give that would begin at once. */
  readonly #ready: PieceMask
  /** Open pieces that somebody gives, and of these what one of them can give now. */
  readonly #pickable: PieceMask
  /** When a piece last came, or the first question was asked. */
  #lastArrivalMs: number | undefined

  constructor (parts: PickerParts, self: OwnershipSeed, groups: PieceGroups) {
    const { length } = parts.arrived
    this.#parts = parts
    this.#self = self
    this.#groups = groups
    this.#lateFactor = length <= SMALL_PIECES ? SMALL_LATE_FACTOR : LATE_FACTOR
    this.#times = new ServiceTimes(parts.members, MIN_LATE_MS)
    this.#near = new PieceMask(length)
    this.#far = new PieceMask(length)
    this.#ready = new PieceMask(length)
    this.#pickable = new PieceMask(length)
  }

  /** A piece has come. */
  arrived (nowMs: number): void {
    this.#lastArrivalMs = nowMs
  }

  /** A member has come, gone or delivered. */
  membersChanged (): void {
    this.#times.changed()
  }

  /**
   * Requests that fill the pipe: those that may still be answered in the usual time. Where most near members are late it is our own
   * link, or processor, that is slow, and theirs do too: more would only come later.
   */
  onTime (nowMs: number): number {
    const { ledger } = this.#parts
    if (!ledger.hasOlder(nowMs, this.#lateMs)) return ledger.count
    let onTime = 0
    let late = 0
    let members = 0
    let lateMembers = 0
    for (const { requests, isNear } of ledger.members) {
      let ofMember = 0
      for (const request of requests) if (!this.#isLate(request, nowMs)) ofMember++
      onTime += ofMember
      if (!isNear) continue
      late += requests.length - ofMember
      members++
      if (ofMember === 0) lateMembers++
    }
    return lateMembers >= MANY_LATE && lateMembers > members / 2 ? onTime + late : onTime
  }

  /**
   * What to ask for, one after the other, until there is nothing: whoever takes one puts it into the ledger before the next.
   * @param window - requests that one member may have at a time
   */
  * picks (nowMs: number, heads: readonly number[], window: number): Generator<PickedRequest, void, undefined> {
    this.#lastArrivalMs ??= nowMs
    this.#times.measure()
    for (let view = this.#open(nowMs, window); view !== undefined;) {
      const picked = this.#nextHead(heads, view) ?? this.#rarest(view)
      if (picked === undefined) break
      yield picked
      this.#times.measure()
      this.#pickable.delete(picked.piece)
      if (picked.member.requests.length >= window) view = this.#look(nowMs, window)
    }
    for (let late = this.#hedge(nowMs, window); late !== undefined; late = this.#hedge(nowMs, window)) {
      yield late
      this.#times.measure()
    }
  }

  /** @returns undefined if nobody has anything that is not here or on its way: of what members hold most is, most of the time */
  #open (nowMs: number, window: number): PickerView | undefined {
    markOpen(this.#pickable, this.#parts).within(this.#parts.availability.given)
    return this.#pickable.next(0) === -1 ? undefined : this.#look(nowMs, window)
  }

  /**
   * Who can be asked, and for which of the pickable pieces: as a question most often finds nothing, all pieces at once by whole words.
   * @returns undefined if for none
   */
  #look (nowMs: number, window: number): PickerView | undefined {
    const { members } = this.#parts
    const isImpatient = this.#isImpatient(nowMs)
    const free = this.#free(nowMs, window)
    let hasFar = false
    this.#near.clear()
    this.#far.clear()
    for (const member of free) {
      const isFar = !member.isNear && !isImpatient
      hasFar ||= isFar
      member.give(isFar ? this.#far : this.#near)
    }
    if (hasFar) for (const { isNear, isLeech, held } of members.values()) if (isNear && !isLeech) this.#far.without(held)
    this.#pickable.within(this.#near, this.#far)
    return this.#pickable.next(0) === -1 ? undefined : { free, isImpatient }
  }

  /** Members that can be asked for one more. */
  #free (nowMs: number, window: number): Member[] {
    const free: Member[] = []
    for (const member of this.#parts.members.values()) {
      if (member.canBeAsked(nowMs) && member.requests.length < window) free.push(member)
    }
    return free
  }

  /** What a reader waits for, in order; and the hash of the whole, at the first gap. */
  #nextHead (heads: readonly number[], view: PickerView): PickedRequest | undefined {
    const { arrived } = this.#parts
    for (const head of heads) {
      const piece = this.#ahead(head)
      if (piece !== undefined) return this.#ofBestHolder(piece, view)
    }
    const edge = arrived.nextLacking(0)
    const piece = arrived.count > edge ? this.#ahead(edge) : undefined
    return piece === undefined ? undefined : this.#ofBestHolder(piece, view)
  }

  /** Of the first pieces that are not here from this one on. */
  #ahead (head: number): number | undefined {
    const { arrived } = this.#parts
    const from = arrived.nextLacking(head)
    const end = Math.min(from + HEAD_PIECES, arrived.length)
    for (let piece = from; piece < end; piece++) if (this.#isPickable(piece)) return piece
    return undefined
  }

  /**
   * The piece that fewest hold, of those that somebody would begin to send at once, else of all: where all ask for the rarest, its
   * few holders have more to do than they can while the links of others are idle.
   */
  #rarest (view: PickerView): PickedRequest | undefined {
    let givers = 0
    for (const { isLeech } of this.#parts.members.values()) if (!isLeech) givers++
    this.#ready.clear()
    for (const member of view.free) if (member.hasSlot) member.give(this.#ready)
    const piece = this.#rarestOf(this.#ready.within(this.#pickable), givers) ?? this.#rarestOf(this.#pickable, givers)
    return piece === undefined ? undefined : this.#ofBestHolder(piece, view)
  }

  /**
   * Among equals each agent has an order of its own, so that they differ. What is common is taken in order, as disk, clients and
   * the hash like it best: what lies beyond a gap is hashed when the gap is closed, so late gaps near the start cost most.
   */
  #rarestOf (pieces: PieceMask, givers: number): number | undefined {
    const { arrived, availability } = this.#parts
    const common = COMMON_PART * givers
    let best: { piece: number, holders: number, order: number } | undefined
    for (let piece = pieces.next(0); piece !== -1; piece = pieces.next(piece + 1)) {
      const counted = availability.of(piece)
      const isCommon = counted >= common
      const holders = isCommon ? givers : counted
      if (best !== undefined && holders > best.holders) continue
      const order = isCommon ? ANY_ORDER + arrived.length - piece : this.#self.order(piece)
      if (best !== undefined && holders === best.holders && order < best.order) continue
      if (this.#isPickable(piece)) best = { piece, holders, order }
    }
    return best?.piece
  }

  /** Nothing else is left to ask for: what is late is asked of somebody else too. */
  #hedge (nowMs: number, window: number): PickedRequest | undefined {
    const { ledger } = this.#parts
    const isImpatient = this.#isImpatient(nowMs)
    let free: readonly Member[] | undefined
    let best: PickedRequest & { askedAtMs: number } | undefined
    for (const { requests } of ledger.members) {
      for (const request of requests) {
        const { piece, askedAtMs } = request
        if (!this.#isLate(request, nowMs) || (best !== undefined && askedAtMs >= best.askedAtMs)) continue
        if (ledger.ofPiece(piece).length >= MAX_COPIES) continue
        free ??= this.#free(nowMs, window)
        const picked = this.#ofBestHolder(piece, { free: free.filter(one => !ledger.has(one, piece)), isImpatient })
        if (picked !== undefined) best = { ...picked, askedAtMs }
      }
    }
    return best === undefined ? undefined : { member: best.member, piece: best.piece }
  }

  /** Whether it is open and a free member can give it that may be asked. */
  #isPickable (piece: number): boolean {
    return this.#pickable.has(piece) && (this.#near.has(piece) || this.#isOurs(piece))
  }

  #isImpatient (nowMs: number): boolean {
    return nowMs - (this.#lastArrivalMs ?? nowMs) > ZONE_PATIENCE_MS
  }

  #isLate ({ member, askedAtMs }: PendingRequest, nowMs: number): boolean {
    return nowMs - Math.max(askedAtMs, member.heldUpAtMs) > this.#lateMs
  }

  get #lateMs (): number {
    return Math.max(MIN_LATE_MS, this.#lateFactor * this.#times.usualMs)
  }

  /** The near before the far, then the one that will most likely have it here first. */
  #ofBestHolder (piece: number, { free, isImpatient }: PickerView): PickedRequest | undefined {
    let best: { member: Member, waitMs: number } | undefined
    let mayCross = isImpatient ? true : undefined
    for (const member of free) {
      if (!member.canGive(piece)) continue
      if (!member.isNear && !(mayCross ??= this.#mayCross(piece))) continue
      const waitMs = (1 + member.requests.length + member.queue) * member.expectedMs
      const isBetter = best === undefined || (member.isNear === best.member.isNear
        ? waitMs < best.waitMs || (waitMs === best.waitMs && member.ownership.order(piece) > best.member.ownership.order(piece))
        : member.isNear)
      if (isBetter) best = { member, waitMs }
    }
    return best === undefined ? undefined : { member: best.member, piece }
  }

  /** A piece crosses the border of a zone about once: of the near members that lack it, the owner fetches it from afar. */
  #mayCross (piece: number): boolean {
    for (const { isNear, isLeech, held } of this.#parts.members.values()) {
      if (isNear && !isLeech && held.has(piece)) return false
    }
    return this.#isOurs(piece)
  }

  /** Whether we rank before all near members. */
  #isOurs (piece: number): boolean {
    const group = this.#groups.of(piece)
    const rank = this.#self.rank(group)
    for (const { isNear, isLeech, ownership } of this.#parts.members.values()) {
      if (isNear && !isLeech && ownership.rank(group) > rank) return false
    }
    return true
  }
}
