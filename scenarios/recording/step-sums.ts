import { MAX_STEPS } from './time-steps.ts'
import type { TimeSteps } from './time-steps.ts'

/** Sums by step of time, under names. */
export class StepSums<Name extends string> {
  readonly #columns: Readonly<Record<Name, Float64Array>>
  readonly #steps: TimeSteps

  constructor (names: readonly Name[], steps: TimeSteps) {
    this.#columns = Object.fromEntries(names.map(name => [name, new Float64Array(MAX_STEPS)])) as Record<Name, Float64Array>
    this.#steps = steps
    steps.onDoubled(() => { for (const name of names) mergePairs(this.#columns[name]) })
  }

  add (name: Name, amount: number, atMs: number): void {
    const step = this.#steps.at(atMs)
    const column = this.#columns[name]
    column[step] = (column[step] ?? 0) + amount
  }

  /** Of each step up to `endMs`. */
  sums (name: Name, endMs: number): number[] {
    const last = this.#steps.at(endMs)
    return [...this.#columns[name].subarray(0, last + 1)]
  }
}

function mergePairs (column: Float64Array): void {
  for (let pair = 0; pair < MAX_STEPS; pair++) {
    column[pair] = pair < MAX_STEPS / 2 ? (column[2 * pair] ?? 0) + (column[2 * pair + 1] ?? 0) : 0
  }
}
