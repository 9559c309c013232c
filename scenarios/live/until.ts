import { setTimeout as delay } from 'node:timers/promises'

const DEFAULT_POLL_MS = 20

export interface UntilOptions {
  /** What is waited for, for the failure's message. */
  readonly what: string
  /** @default 10_000 */
  readonly timeoutMs?: number
  /** Between an answer and the next question. @default 20 */
  readonly pollMs?: number
}

/**
 * Asks again and again until the answer is neither undefined nor false. For facts of other processes that tell of no event.
 *
 * @throws Error naming what was waited for, with the last error as its cause
 */
export async function until<T> (ask: () => Promise<T | undefined | false> | T | undefined | false, { what, timeoutMs = 10_000, pollMs = DEFAULT_POLL_MS }: UntilOptions): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  do {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      cause = error
    }
    await delay(pollMs)
  } while (performance.now() < deadline)
  throw new Error(`${what}: not within ${timeoutMs} ms`, { cause })
}
