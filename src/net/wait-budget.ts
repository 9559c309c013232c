import { DeadlineError } from '../errors.ts'

/**
 * The time one phase may spend waiting for the other side. Only `run` spends it, so a phase that is paused by its
 * own consumer does not run out.
 */
export class WaitBudget {
  readonly #phase: string
  readonly #timeoutMs: number
  #spentMs = 0

  constructor (phase: string, timeoutMs: number) {
    this.#phase = phase
    this.#timeoutMs = timeoutMs
  }

  /** Waits for `wait`, whose promise is rejected by `onTimeout` when the budget is spent. */
  async run (wait: Promise<void>, onTimeout: (error: DeadlineError) => void): Promise<void> {
    const startedAt = performance.now()
    const timer = setTimeout(() => { onTimeout(new DeadlineError(this.#phase, this.#timeoutMs)) }, Math.max(0, this.#timeoutMs - this.#spentMs))
    try {
      await wait
    } finally {
      clearTimeout(timer)
      this.#spentMs += performance.now() - startedAt
    }
  }
}
