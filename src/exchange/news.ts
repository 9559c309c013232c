import { MAX_LISTED_PIECES } from '../net/swarm-limits.ts'

/** Members hear of a piece so many milliseconds after it for each member there is, so that many cost no more messages than few. */
const INTERVAL_PER_MEMBER_MS = 12
const MIN_INTERVAL_MS = 20
const MAX_INTERVAL_MS = 200

export interface NewsParts<Member> {
  /** Who is told. */
  readonly members: () => readonly Member[]
  /** @param pieces - ascending */
  readonly tell: (member: Member, pieces: readonly number[]) => void
  /** Whether a piece is here still. */
  readonly isHere: (piece: number) => boolean
}

/**
 * Pieces that have come, and who has heard of them. A message costs both sides the same whatever it carries, so a member is told
 * together with what is said to it anyway, and by a message of its own only when nothing was said for a while.
 */
export class News<Member> {
  readonly #parts: NewsParts<Member>
  /** Since all were told. */
  #pieces: number[] = []
  /** How many of them each has heard of. */
  readonly #heard = new Map<Member, number>()
  #timer: NodeJS.Timeout | undefined

  constructor (parts: NewsParts<Member>) {
    this.#parts = parts
  }

  add (pieces: readonly number[]): void {
    for (const piece of pieces) this.#pieces.push(piece)
    if (this.#timer !== undefined || pieces.length === 0) return
    const intervalMs = Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, this.#parts.members().length * INTERVAL_PER_MEMBER_MS))
    this.#timer = setTimeout(() => { this.#tellAll() }, intervalMs)
  }

  /** Something is about to be said to this member: it hears the news before. */
  tell (member: Member): void {
    const heard = this.#heard.get(member) ?? 0
    if (heard === this.#pieces.length) return
    const pieces = [...new Set(this.#pieces.slice(heard))].filter(this.#parts.isHere).sort((a, b) => a - b)
    this.know(member)
    for (let at = 0; at < pieces.length; at += MAX_LISTED_PIECES) this.#parts.tell(member, pieces.slice(at, at + MAX_LISTED_PIECES))
  }

  /** This member has learned otherwise what there is. */
  know (member: Member): void {
    this.#heard.set(member, this.#pieces.length)
  }

  stop (): void {
    clearTimeout(this.#timer)
  }

  #tellAll (): void {
    this.#timer = undefined
    for (const member of this.#parts.members()) this.tell(member)
    this.#pieces = []
    this.#heard.clear()
  }
}
