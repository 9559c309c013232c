import { Bitfield } from './bitfield.ts'
import type { Member } from './member.ts'

/** One piece asked of one member, not yet here. */
export interface PendingRequest {
  readonly member: Member
  readonly piece: number
  /** Milliseconds. */
  readonly askedAtMs: number
}

const NONE: readonly PendingRequest[] = []

/**
 * What is asked of whom: bookkeeping only, by piece and by member, changed together. Policy is the session's. The lists that it
 * gives out go on changing: whoever removes what it walks through takes a copy.
 */
export class RequestLedger {
  /** Pieces that are asked of somebody. */
  readonly asked: Bitfield
  readonly #byPiece = new Map<number, PendingRequest[]>()
  /** Those of whom something is asked. */
  readonly #members = new Set<Member>()
  #count = 0
  /** No request is older than this, in milliseconds; all may be younger. */
  #sinceMs = 0

  /** @param pieces - of the blob */
  constructor (pieces: number) {
    this.asked = new Bitfield(pieces)
  }

  /** Requests in all. */
  get count (): number {
    return this.#count
  }

  /** Those of whom something is asked: `requests` says what. */
  get members (): Iterable<Member> {
    return this.#members
  }

  /** Whether something was asked so many milliseconds ago, or before: mostly not, which costs next to nothing to know. */
  hasOlder (nowMs: number, ageMs: number): boolean {
    if (this.#count === 0 || nowMs - this.#sinceMs < ageMs) return false
    this.#sinceMs = Infinity
    for (const { requests } of this.#members) this.#sinceMs = Math.min(this.#sinceMs, requests[0]?.askedAtMs ?? Infinity)
    return nowMs - this.#sinceMs >= ageMs
  }

  /** @throws RangeError when the piece is asked of this member already */
  add (request: PendingRequest): void {
    const { member, piece } = request
    if (this.has(member, piece)) throw new RangeError(`piece ${piece} is asked of ${member.id} already`)
    if (this.#count === 0) this.#sinceMs = request.askedAtMs
    const ofPiece = this.#byPiece.get(piece)
    if (ofPiece === undefined) this.#byPiece.set(piece, [request])
    else ofPiece.push(request)
    this.asked.add(piece)
    member.requests.push(request)
    this.#members.add(member)
    this.#count++
  }

  /** @returns what was removed */
  remove (member: Member, piece: number): PendingRequest | undefined {
    const request = member.requests.find(one => one.piece === piece)
    const ofPiece = this.#byPiece.get(piece)
    if (request === undefined || ofPiece === undefined) return undefined
    ofPiece.splice(ofPiece.indexOf(request), 1)
    if (ofPiece.length === 0) {
      this.#byPiece.delete(piece)
      this.asked.remove(piece)
    }
    member.requests.splice(member.requests.indexOf(request), 1)
    if (member.requests.length === 0) this.#members.delete(member)
    this.#count--
    return request
  }

  has (member: Member, piece: number): boolean {
    return member.requests.some(one => one.piece === piece)
  }

  /** Oldest first. */
  ofPiece (piece: number): readonly PendingRequest[] {
    return this.#byPiece.get(piece) ?? NONE
  }
}
