import { MAX_STEPS } from './time-steps.ts'
import type { TimeSteps } from './time-steps.ts'

/** How far each host is at the end of each step, in a byte each. What a host has, it keeps. */
export class HostProgress {
  readonly #percent: Uint8Array
  readonly #steps: TimeSteps

  constructor (hosts: number, steps: TimeSteps) {
    this.#percent = new Uint8Array(hosts * MAX_STEPS)
    this.#steps = steps
    steps.onDoubled(() => { mergePairs(this.#percent) })
  }

  /** @param share - 0 to 1; what is not whole is 99 % at the most */
  reach (host: number, share: number, atMs: number): void {
    const cell = host * MAX_STEPS + this.#steps.at(atMs)
    this.#percent[cell] = Math.max(this.#percent[cell] ?? 0, Math.floor(100 * Math.min(share, 1)))
  }

  /** Of each step up to `endMs`. */
  row (host: number, endMs: number): number[] {
    const last = this.#steps.at(endMs)
    let reached = 0
    return Array.from(this.#percent.subarray(host * MAX_STEPS, host * MAX_STEPS + last + 1), percent => (reached = Math.max(reached, percent)))
  }
}

function mergePairs (cells: Uint8Array): void {
  for (let first = 0; first < cells.length; first += MAX_STEPS) {
    for (let pair = 0; pair < MAX_STEPS; pair++) {
      const second = first + 2 * pair + 1
      cells[first + pair] = pair < MAX_STEPS / 2 ? Math.max(cells[second - 1] ?? 0, cells[second] ?? 0) : 0
    }
  }
}
