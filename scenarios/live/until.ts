import { setTimeout as delay } from 'node:timers/promises'

const POLL_MS = 20

export interface UntilOptions {
  /** What is waited for, for the failure's message. */
  readonly what: string
  /** @default 10_000 */
  readonly timeoutMs?: number
}

/**
 * Asks again and again until the answer is neither undefined nor false. For facts of other processes that tell of no event.
 *
 * @throws Error naming what was waited for, with the last error as its cause
 */
export async function until<T> (ask: () => Promise<T | undefined | false> | T | undefined | false, { what, timeoutMs = 10_000 }: UntilOptions): Promise<T> {
  const deadline = performance.now() + timeoutMs
  let cause: unknown
  do {
    try {
      const answer = await ask()
      if (answer !== undefined && answer !== false) return answer
    } catch (error) {
      cause = error
    }
    await delay(POLL_MS)
  } while (performance.now() < deadline)
  throw new Error(`${what}: not within ${timeoutMs} ms`, { cause })
}
