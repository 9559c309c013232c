/** An origin that failed rests for so long, twice as long each time, in milliseconds. */
const REST_MS = 2_000
const MAX_REST_MS = 30_000
/** After a read that was cut half way, in milliseconds. */
const AGAIN_MS = 1
/** One that sends us away for no longer than this is as good as there, in milliseconds. */
const SHORT_REST_MS = 3_000

/** How a read has failed. */
export interface ReadFailure {
  /** Some of it had come. */
  readonly isCut: boolean
  /** It said when to come again, in milliseconds. @default 0 */
  readonly retryAfterMs?: number
  /** That time is not waited for: others may read. @default false */
  readonly isLimited?: boolean
}

/** How long an origin is left alone after failures. Knows no clock: times are passed in, in milliseconds. */
export class OriginRest {
  #failures = 0
  /** When it may be asked again, if it has sent us away for a moment. */
  #backSoonAtMs = -Infinity

  /** A read has come to its end. */
  succeeded (): void {
    this.#failures = 0
  }

  /**
   * A read has failed. One that was cut half way is asked again at once, one that says when to come again then, the first time.
   * @returns how long the origin is left alone, in milliseconds
   */
  failed ({ isCut, retryAfterMs = 0, isLimited = false }: ReadFailure, nowMs: number): number {
    this.#failures = isCut ? 0 : this.#failures + 1
    const doublings = this.#failures - (isLimited ? 2 : 1)
    const backOffMs = doublings < 0 ? AGAIN_MS : Math.min(MAX_REST_MS, REST_MS * 2 ** doublings)
    const restMs = Math.max(retryAfterMs, backOffMs)
    if (isLimited && restMs <= SHORT_REST_MS) this.#backSoonAtMs = nowMs + restMs
    return restMs
  }

  /** Whether it has sent us away for a moment only. */
  isBackSoon (nowMs: number): boolean {
    return nowMs < this.#backSoonAtMs
  }
}
