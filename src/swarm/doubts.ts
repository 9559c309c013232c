/** Members whose word may be wrong, and what was set aside because of it: it counts again when that turns out to lead nowhere. */
export class Doubts {
  readonly #doubted = new Set<string>()
  /** Copies that do not count, by member. */
  readonly #setAside = new Map<string, Set<number>>()

  has (id: string): boolean {
    return this.#doubted.has(id)
  }

  add (id: string): void {
    this.#doubted.add(id)
  }

  /** A member's copy does not count now; what is set aside while nobody is doubted never counts again. */
  setAside (id: string, piece: number): void {
    if (this.#doubted.size === 0) return
    const pieces = this.#setAside.get(id) ?? new Set()
    this.#setAside.set(id, pieces.add(piece))
  }

  /** From now on nobody is doubted. @returns who was, and the copies that were set aside */
  end (): { readonly doubted: readonly string[], readonly setAside: ReadonlyArray<readonly [id: string, pieces: ReadonlySet<number>]> } {
    const ended = { doubted: [...this.#doubted], setAside: [...this.#setAside] }
    this.#doubted.clear()
    this.#setAside.clear()
    return ended
  }
}
