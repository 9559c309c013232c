import { MAX_LISTED_PIECES } from '../net/swarm-limits.ts'

/** Members hear of a piece so many milliseconds after it for each member there is, so that many cost no more messages than few. */
const INTERVAL_PER_MEMBER_MS = 12
const MIN_INTERVAL_MS = 20
const MAX_INTERVAL_MS = 200
/** Where pieces come slowly a message waits for so many of them, but not longer than this. */
const PIECES_PER_MESSAGE = 6
const MAX_SLOW_INTERVAL_MS = 600
/** Weight of the newest sample in how often pieces come. */
const SAMPLE_WEIGHT = 0.1
/** Who would be told so soon, in parts of that interval, is told together with who must be told now. */
const EARLY_PART = 4

export interface NewsParts<Member> {
  /** Who is told. */
  readonly members: () => readonly Member[]
  /** @param pieces - ascending */
  readonly tell: (member: Member, pieces: readonly number[]) => void
  /** Whether a piece is here still. */
  readonly isHere: (piece: number) => boolean
  /** Milliseconds. */
  readonly now: () => number
}

interface NewsItem {
  readonly piece: number
  readonly atMs: number
}

/**
 * Pieces that have come, and who has heard of them. A message costs both sides the same whatever it carries, so a member is told
 * together with what is said to it anyway, and by a message of its own only when it has not heard of a piece for a while.
 */
export class News<Member> {
  readonly #parts: NewsParts<Member>
  /** Those of which somebody may not have heard, in the order in which they came. */
  #items: NewsItem[] = []
  /** Items before them, of which all have heard. */
  #gone = 0
  /** Of how many, those before them included, each member has heard. */
  readonly #heard = new Map<Member, number>()
  #timer: NodeJS.Timeout | undefined
  /** From one piece to the next, lately, in milliseconds. */
  #gapMs = 0
  #addedAtMs: number | undefined

  constructor (parts: NewsParts<Member>) {
    this.#parts = parts
  }

  add (pieces: readonly number[]): void {
    const atMs = this.#parts.now()
    if (pieces.length === 0) return
    this.#gapMs += ((atMs - (this.#addedAtMs ?? atMs)) / pieces.length - this.#gapMs) * SAMPLE_WEIGHT
    this.#addedAtMs = atMs
    for (const piece of pieces) this.#items.push({ piece, atMs })
    this.#timer ??= setTimeout(() => { this.#tellDue() }, this.#intervalMs)
  }

  /** Something is about to be said to this member: it hears the news before. */
  tell (member: Member): void {
    const unheard = this.#items.slice(this.#firstUnheard(member))
    if (unheard.length === 0) return
    const pieces = [...new Set(unheard.map(({ piece }) => piece))].filter(this.#parts.isHere).sort((a, b) => a - b)
    this.know(member)
    for (let at = 0; at < pieces.length; at += MAX_LISTED_PIECES) this.#parts.tell(member, pieces.slice(at, at + MAX_LISTED_PIECES))
  }

  /** This member has learned otherwise what there is. */
  know (member: Member): void {
    this.#heard.set(member, this.#gone + this.#items.length)
  }

  stop (): void {
    clearTimeout(this.#timer)
  }

  get #intervalMs (): number {
    const leastMs = Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, this.#parts.members().length * INTERVAL_PER_MEMBER_MS))
    return Math.max(leastMs, Math.min(MAX_SLOW_INTERVAL_MS, PIECES_PER_MESSAGE * this.#gapMs))
  }

  /** Of the items, for this member. */
  #firstUnheard (member: Member): number {
    return Math.max(0, (this.#heard.get(member) ?? 0) - this.#gone)
  }

  #tellDue (): void {
    this.#timer = undefined
    const intervalMs = this.#intervalMs
    const now = this.#parts.now()
    const dueMs = now - intervalMs + intervalMs / EARLY_PART
    const members = this.#parts.members()
    let oldestMs = Infinity
    for (const member of members) {
      const since = this.#items[this.#firstUnheard(member)]?.atMs ?? Infinity
      if (since <= dueMs) this.tell(member)
      else oldestMs = Math.min(oldestMs, since)
    }
    this.#forget(members)
    if (oldestMs < Infinity) this.#timer = setTimeout(() => { this.#tellDue() }, oldestMs + intervalMs - now)
  }

  /** What all have heard. */
  #forget (members: readonly Member[]): void {
    const heard = members.map(member => this.#heard.get(member) ?? 0)
    const known = Math.min(this.#gone + this.#items.length, ...heard)
    this.#items = this.#items.slice(Math.max(0, known - this.#gone))
    this.#gone = Math.max(this.#gone, known)
    const isMember = new Set(members)
    for (const member of this.#heard.keys()) if (!isMember.has(member)) this.#heard.delete(member)
  }
}
