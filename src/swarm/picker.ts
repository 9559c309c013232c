import type { Availability } from './availability.ts'
import type { Bitfield } from './bitfield.ts'
import type { PendingRequest, RequestLedger } from './ledger.ts'
import type { Member } from './member.ts'
import { OwnershipSeed } from './ownership.ts'
import { SMALL_PIECES } from './pieces.ts'

/** Weight of the newest sample in the time that pieces take. */
const SAMPLE_WEIGHT = 0.1
/** A request older than this many usual times no longer counts as filling the pipe, and may be hedged. */
const LATE_FACTOR = 3
const SMALL_LATE_FACTOR = 1.5
const MIN_LATE_MS = 150
/** Pieces ahead of a waiting reader that come before all others. */
const HEAD_PIECES = 2
/** Above all orders of `OwnershipSeed`. */
const ANY_ORDER = 2 ** 32
/** A piece is asked of so many members at a time at the most. */
const MAX_COPIES = 2
/** After this long a far member may be asked for a piece although a nearer one is to fetch it, in milliseconds. */
const ZONE_PATIENCE_MS = 2000

export interface PickerParts {
  readonly members: ReadonlyMap<string, Member>
  readonly availability: Availability
  readonly ledger: RequestLedger
  readonly arrived: Bitfield
  /** We read it from the origin ourselves. */
  readonly isTaken: (piece: number) => boolean
}

export interface PickedRequest {
  readonly member: string
  readonly piece: number
}

/** Which piece to ask of whom next. */
export class Picker {
  readonly #parts: PickerParts
  readonly #self: OwnershipSeed
  /** Ours among equals, by piece. */
  readonly #order: Uint32Array
  readonly #lateFactor: number
  #serviceMs = MIN_LATE_MS
  /** When a piece last came, or the first question was asked. */
  #lastArrivalMs: number | undefined

  constructor (parts: PickerParts, { self, digest }: { readonly self: string, readonly digest: string }) {
    this.#parts = parts
    this.#self = new OwnershipSeed(digest, self)
    this.#order = Uint32Array.from({ length: parts.arrived.length }, (_, piece) => this.#self.order(piece))
    this.#lateFactor = parts.arrived.length <= SMALL_PIECES ? SMALL_LATE_FACTOR : LATE_FACTOR
  }

  /** A piece has come. */
  arrived (nowMs: number): void {
    this.#lastArrivalMs = nowMs
  }

  /** Requests that may still be answered in the usual time. */
  onTime (nowMs: number): number {
    let count = 0
    for (const request of this.#parts.ledger) {
      if (!this.#isLate(request, nowMs)) count++
    }
    return count
  }

  /** How long a request usually takes; the median of what members took. */
  #measure (): void {
    const times = [...this.#parts.members.values()].map(member => member.serviceMs).sort((a, b) => a - b)
    const median = times[times.length >> 1]
    if (median !== undefined) this.#serviceMs += (median - this.#serviceMs) * SAMPLE_WEIGHT
  }

  /** @param window - requests that one member may have at a time */
  next (nowMs: number, heads: readonly number[], window: number): PickedRequest | undefined {
    this.#lastArrivalMs ??= nowMs
    this.#measure()
    const free = this.#freeMembers(nowMs, window)
    if (free.length === 0) return undefined
    return this.#nextHead(nowMs, heads, free) ?? this.#rarest(nowMs, free) ?? this.#hedge(nowMs, free)
  }

  /** What a reader waits for, in order. */
  #nextHead (nowMs: number, heads: readonly number[], free: readonly Member[]): PickedRequest | undefined {
    for (const head of heads) {
      const end = Math.min(head + HEAD_PIECES, this.#parts.arrived.length)
      for (let piece = head; piece < end; piece++) {
        if (!this.#isWanted(piece)) continue
        const member = this.#bestHolder(piece, free, nowMs)
        if (member !== undefined) return { member: member.id, piece }
      }
    }
    return undefined
  }

  /** The piece that fewest hold; among equals each agent has an order of its own, so that they differ. */
  #rarest (nowMs: number, free: readonly Member[]): PickedRequest | undefined {
    const { arrived, availability, members } = this.#parts
    let givers = 0
    for (const member of members.values()) if (!member.isLeech) givers++
    let best: { piece: number, holders: number, order: number } | undefined
    // of all pieces, for each question: first what costs least to know
    for (let piece = 0; piece < arrived.length; piece++) {
      const holders = availability.of(piece)
      if (holders === 0 || (best !== undefined && holders > best.holders)) continue
      // what all hold is read in order, as disk and hash like it best
      const order = holders === givers ? ANY_ORDER + arrived.length - piece : this.#order[piece] ?? 0
      if (best !== undefined && holders === best.holders && order < best.order) continue
      if (!this.#isWanted(piece)) continue
      if (!free.some(member => this.#canGive(member, piece) && this.#mayAsk(member, piece, nowMs))) continue
      best = { piece, holders, order }
    }
    if (best === undefined) return undefined
    const member = this.#bestHolder(best.piece, free, nowMs)
    return member === undefined ? undefined : { member: member.id, piece: best.piece }
  }

  /** Nothing else is left to ask for: what is late is asked of somebody else too. */
  #hedge (nowMs: number, free: readonly Member[]): PickedRequest | undefined {
    const { ledger } = this.#parts
    let best: { piece: number, askedAtMs: number, member: Member } | undefined
    for (const request of ledger) {
      const { piece, askedAtMs } = request
      if (!this.#isLate(request, nowMs) || (best !== undefined && askedAtMs >= best.askedAtMs)) continue
      const copies = ledger.ofPiece(piece)
      if (copies.length >= MAX_COPIES) continue
      const member = this.#bestHolder(piece, free.filter(one => !ledger.has(one.id, piece)), nowMs)
      if (member !== undefined) best = { piece, askedAtMs, member }
    }
    return best === undefined ? undefined : { member: best.member.id, piece: best.piece }
  }

  #isWanted (piece: number): boolean {
    const { arrived, ledger, isTaken } = this.#parts
    return !arrived.has(piece) && !ledger.isAsked(piece) && !isTaken(piece)
  }

  #canGive (member: Member, piece: number): boolean {
    return member.held.has(piece) && !member.calledOff.has(piece)
  }

  #isLate ({ member, askedAtMs }: PendingRequest, nowMs: number): boolean {
    return nowMs - Math.max(askedAtMs, this.#parts.members.get(member)?.heldUpAtMs ?? 0) > Math.max(MIN_LATE_MS, this.#lateFactor * this.#serviceMs)
  }

  #freeMembers (nowMs: number, window: number): Member[] {
    const { members, ledger } = this.#parts
    return [...members.values()].filter(member => member.canBeAsked(nowMs) && ledger.countOf(member.id) < window)
  }

  /** The near before the far, then the one that will most likely have it here first. */
  #bestHolder (piece: number, free: readonly Member[], nowMs: number): Member | undefined {
    const { ledger } = this.#parts
    let best: { member: Member, waitMs: number } | undefined
    for (const member of free) {
      if (!this.#canGive(member, piece) || !this.#mayAsk(member, piece, nowMs)) continue
      const waitMs = (1 + ledger.countOf(member.id) + member.queue) * member.expectedMs
      const isBetter = best === undefined || (member.isNear === best.member.isNear
        ? waitMs < best.waitMs || (waitMs === best.waitMs && member.ownership.order(piece) > best.member.ownership.order(piece))
        : member.isNear)
      if (isBetter) best = { member, waitMs }
    }
    return best?.member
  }

  /** A piece crosses the border of a zone about once: of the near members that lack it, the owner fetches it from afar. */
  #mayAsk (member: Member, piece: number, nowMs: number): boolean {
    if (member.isNear || nowMs - (this.#lastArrivalMs ?? nowMs) > ZONE_PATIENCE_MS) return true
    const rank = this.#self.rank(piece)
    for (const other of this.#parts.members.values()) {
      if (!other.isNear || other.isLeech) continue
      if (other.held.has(piece) || other.ownership.rank(piece) > rank) return false
    }
    return true
  }
}
