/** One piece asked of one member, not yet here. */
export interface PendingRequest {
  readonly member: string
  readonly piece: number
  /** Milliseconds. */
  readonly askedAtMs: number
}

/** What is asked of whom: bookkeeping only, by piece and by member, changed together. Policy is the session's. */
export class RequestLedger {
  readonly #byPiece = new Map<number, Map<string, PendingRequest>>()
  readonly #byMember = new Map<string, Map<number, PendingRequest>>()
  #count = 0

  /** Requests in all. */
  get count (): number {
    return this.#count
  }

  /** @throws RangeError when the piece is asked of this member already */
  add (request: PendingRequest): void {
    const { member, piece } = request
    if (this.has(member, piece)) throw new RangeError(`piece ${piece} is asked of ${member} already`)
    within(this.#byPiece, piece).set(member, request)
    within(this.#byMember, member).set(piece, request)
    this.#count++
  }

  /** @returns what was removed */
  remove (member: string, piece: number): PendingRequest | undefined {
    const request = this.#byMember.get(member)?.get(piece)
    if (request === undefined) return undefined
    without(this.#byPiece, piece, member)
    without(this.#byMember, member, piece)
    this.#count--
    return request
  }

  has (member: string, piece: number): boolean {
    return this.#byMember.get(member)?.has(piece) === true
  }

  isAsked (piece: number): boolean {
    return this.#byPiece.has(piece)
  }

  /** Oldest first. */
  ofPiece (piece: number): PendingRequest[] {
    return [...this.#byPiece.get(piece)?.values() ?? []]
  }

  /** Oldest first. */
  ofMember (member: string): PendingRequest[] {
    return [...this.#byMember.get(member)?.values() ?? []]
  }

  countOf (member: string): number {
    return this.#byMember.get(member)?.size ?? 0
  }

  * [Symbol.iterator] (): Generator<PendingRequest> {
    for (const requests of this.#byMember.values()) yield * requests.values()
  }
}

function within<Key, Inner> (index: Map<Key, Map<Inner, PendingRequest>>, key: Key): Map<Inner, PendingRequest> {
  const known = index.get(key)
  if (known !== undefined) return known
  const inner = new Map<Inner, PendingRequest>()
  index.set(key, inner)
  return inner
}

function without<Key, Inner> (index: Map<Key, Map<Inner, PendingRequest>>, key: Key, innerKey: Inner): void {
  const inner = index.get(key)
  inner?.delete(innerKey)
  if (inner?.size === 0) index.delete(key)
}
