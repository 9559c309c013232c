export interface BackoffInit {
  readonly minMs: number
  readonly maxMs: number
  /** Numbers in [0, 1). @default Math.random */
  readonly random?: () => number
}

/** Waiting times that double from `minMs` to `maxMs`, each up to a half shorter at random, so that peers do not act in step. */
export class Backoff {
  readonly #minMs: number
  readonly #maxMs: number
  readonly #random: () => number
  #nextMs: number

  constructor (init: BackoffInit) {
    this.#minMs = init.minMs
    this.#maxMs = init.maxMs
    this.#random = init.random ?? Math.random
    this.#nextMs = init.minMs
  }

  next (): number {
    const delayMs = this.#nextMs
    this.#nextMs = Math.min(this.#maxMs, delayMs * 2)
    return delayMs * (1 - this.#random() / 2)
  }

  reset (): void {
    this.#nextMs = this.#minMs
  }
}
