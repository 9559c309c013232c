/** Members hear of a piece so many milliseconds after it for each member there is, so that many cost no more messages than few. */
const INTERVAL_PER_MEMBER_MS = 12
const MIN_INTERVAL_MS = 20
const MAX_INTERVAL_MS = 200
/** A piece that hardly anybody has is told so soon: until others have it too, nobody can pass it on. */
const RARE_MS = 5
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
  /** Pieces that one message lists at the most. */
  readonly longest: number
  /** @param pieces - ascending */
  readonly tell: (member: Member, pieces: readonly number[]) => void
  /** Whether a piece is here still. */
  readonly isHere: (piece: number) => boolean
  /** Milliseconds. */
  readonly now: () => number
  /** Runs it after so many milliseconds. @returns calls it off */
  readonly after: (delayMs: number, run: () => void) => () => void
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
  #callOff: (() => void) | undefined
  /** What was last told, which most hear alike: the pieces from an item on, of so many. */
  #told: { readonly from: number, readonly to: number, readonly pieces: readonly number[] } | undefined
  /** From one piece to the next, lately, in milliseconds. */
  #gapMs = 0
  #addedAtMs: number | undefined
  #isHurried = false

  constructor (parts: NewsParts<Member>) {
    this.#parts = parts
  }

  /** @param isRare - hardly anybody has them */
  add (pieces: readonly number[], { isRare = false }: { readonly isRare?: boolean } = {}): void {
    const atMs = this.#parts.now()
    if (pieces.length === 0) return
    this.#gapMs += ((atMs - (this.#addedAtMs ?? atMs)) / pieces.length - this.#gapMs) * SAMPLE_WEIGHT
    this.#addedAtMs = atMs
    for (const piece of pieces) this.#items.push({ piece, atMs })
    if (isRare) this.#tellSoon()
    else this.#callOff ??= this.#parts.after(this.#intervalMs, () => { this.#tellDue() })
  }

  /** Something is about to be said to this member: it hears the news before. */
  tell (member: Member): void {
    const first = this.#firstUnheard(member)
    if (first >= this.#items.length) return
    const pieces = this.#piecesFrom(first).filter(this.#parts.isHere)
    this.know(member)
    const { longest } = this.#parts
    for (let at = 0; at < pieces.length; at += longest) this.#parts.tell(member, pieces.slice(at, at + longest))
  }

  /** This member has learned otherwise what there is. */
  know (member: Member): void {
    this.#heard.set(member, this.#gone + this.#items.length)
  }

  stop (): void {
    this.#callOff?.()
    this.#callOff = undefined
    this.#isHurried = false
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
    this.#callOff = undefined
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
    if (oldestMs < Infinity) this.#callOff = this.#parts.after(oldestMs + intervalMs - now, () => { this.#tellDue() })
  }

  /** Each once, ascending. */
  #piecesFrom (first: number): readonly number[] {
    const from = this.#gone + first
    const to = this.#gone + this.#items.length
    if (this.#told?.from !== from || this.#told.to !== to) {
      const pieces = new Set<number>()
      for (let index = first; index < this.#items.length; index++) pieces.add((this.#items[index] as NewsItem).piece)
      this.#told = { from, to, pieces: [...pieces].sort((a, b) => a - b) }
    }
    return this.#told.pieces
  }

  /** All that nobody has heard. */
  #tellSoon (): void {
    if (this.#isHurried) return
    this.#isHurried = true
    this.#callOff?.()
    this.#callOff = this.#parts.after(RARE_MS, () => {
      this.#isHurried = false
      for (const member of this.#parts.members()) this.tell(member)
      this.#tellDue()
    })
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
