/** Milliseconds. */
const FIRST_STEP_MS = 10
/** Of a whole run at the most; a run that is longer than so many of the first steps has at least half of it. */
export const MAX_STEPS = 240

/**
 * Cuts a run of unknown length into steps of equal width: whenever there would be too many, each two become one. Step i is
 * the time after its start up to its end, the end included, so that what is told of an end is true at it. All that is kept by
 * steps shares one of these, so that its steps are the same.
 */
export class TimeSteps {
  readonly #merges: Array<() => void> = []
  #stepMs = FIRST_STEP_MS

  get stepMs (): number {
    return this.#stepMs
  }

  /** @param merge - makes each two steps of what the caller keeps one */
  onDoubled (merge: () => void): void {
    this.#merges.push(merge)
  }

  /** The step of a moment, which from now on has room. */
  at (atMs: number): number {
    while (atMs > this.#stepMs * MAX_STEPS) {
      for (const merge of this.#merges) merge()
      this.#stepMs *= 2
    }
    return Math.max(0, Math.ceil(atMs / this.#stepMs) - 1)
  }
}
