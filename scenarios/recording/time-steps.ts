/** Milliseconds. */
const FIRST_STEP_MS = 10
/** Of a whole run at the most; a run that is longer than so many of the first steps has at least half of it. */
export const MAX_STEPS = 240

/**
 * Cuts a run of unknown length into steps of equal width: whenever there would be too many, each two become one. Step i is
 * the time after its start up to its end, the end included, so that what is told of an end is true at it.
 */
export class TimeSteps {
  readonly #merge: () => void
  #stepMs = FIRST_STEP_MS

  /** @param merge - makes each two steps of what the caller keeps one */
  constructor (merge: () => void) {
    this.#merge = merge
  }

  get stepMs (): number {
    return this.#stepMs
  }

  /** The step of a moment, which from now on has room. */
  at (atMs: number): number {
    while (atMs > this.#stepMs * MAX_STEPS) {
      this.#merge()
      this.#stepMs *= 2
    }
    return Math.max(0, Math.ceil(atMs / this.#stepMs) - 1)
  }
}
