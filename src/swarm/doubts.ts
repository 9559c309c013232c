/** Members whose word may be wrong, and what was set aside because of it: it counts again when that turns out to lead nowhere. */
export class Doubts {
  readonly #doubted = new Set<string>()
  /** What they have vouched for. */
  readonly #pieces = new Set<number>()
  /** Copies that do not count, by member. */
  readonly #setAside = new Map<string, Set<number>>()

  has (id: string): boolean {
    return this.#doubted.has(id)
  }

  /** @param pieces - that it has vouched for */
  add (id: string, pieces: readonly number[]): void {
    this.#doubted.add(id)
    for (const piece of pieces) this.#pieces.add(piece)
  }

  /** What is on the same word as this piece, as far as we know: itself, and if it is doubted all that are. */
  alike (piece: number): readonly number[] {
    return this.#pieces.has(piece) ? [...this.#pieces] : [piece]
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
    this.#pieces.clear()
    this.#setAside.clear()
    return ended
  }
}
