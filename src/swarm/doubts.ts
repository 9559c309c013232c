import type { Availability } from './availability.ts'
import type { Member } from './member.ts'

/**
 * Members whose word may be wrong: they count as leeches. What others have on the same word, as far as we know, is set aside, and
 * counts again when they say again that they have it, or when the doubts turn out to lead nowhere.
 */
export class Doubts {
  readonly #members: ReadonlyMap<string, Member>
  readonly #availability: Availability
  readonly #doubted = new Set<string>()
  /** What they have vouched for. */
  readonly #pieces = new Set<number>()
  /** Copies that do not count, by member. */
  readonly #setAside = new Map<string, Set<number>>()

  constructor (members: ReadonlyMap<string, Member>, availability: Availability) {
    this.#members = members
    this.#availability = availability
  }

  has (id: string): boolean {
    return this.#doubted.has(id)
  }

  /** @param pieces - that it has vouched for: copies of others are set aside, but of those that have the right whole, as far as we know */
  add (id: string, pieces: readonly number[]): void {
    const doubted = this.#members.get(id)
    if (doubted?.isLeech === false) {
      this.#availability.left(doubted.held)
      doubted.isLeech = true
    }
    this.#doubted.add(id)
    for (const piece of pieces) this.#pieces.add(piece)
    for (const [other, member] of this.#members) {
      if (other === id || member.hasRightWhole) continue
      for (const piece of pieces) this.#uncount(other, piece)
    }
  }

  /** A copy is of no use. Whoever had all and gave such a piece has all that is doubted on that word. */
  useless (id: string, piece: number): void {
    const isAll = this.#pieces.has(piece) && this.#members.get(id)?.held.isFull === true
    for (const one of isAll ? this.#pieces : [piece]) this.#uncount(id, one)
  }

  /** From now on nobody is doubted. @returns whether anybody was, and the copies that were set aside */
  end (): { readonly wereAny: boolean, readonly setAside: ReadonlyArray<readonly [id: string, pieces: ReadonlySet<number>]> } {
    for (const id of this.#doubted) {
      const member = this.#members.get(id)
      if (member?.isLeech !== true) continue
      member.isLeech = false
      this.#availability.joined(member.held)
    }
    const ended = { wereAny: this.#doubted.size > 0, setAside: [...this.#setAside] }
    this.#doubted.clear()
    this.#pieces.clear()
    this.#setAside.clear()
    return ended
  }

  /** A member's copy does not count now; what is so while nobody is doubted never counts again by itself. */
  #uncount (id: string, piece: number): void {
    const member = this.#members.get(id)
    if (member?.held.remove(piece) !== true) return
    if (!member.isLeech) this.#availability.lost(piece)
    if (this.#doubted.size === 0) return
    const pieces = this.#setAside.get(id) ?? new Set()
    this.#setAside.set(id, pieces.add(piece))
  }
}
