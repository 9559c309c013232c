import { setTimeout as sleep } from 'node:timers/promises'

const BASE_MS = 100
const CAP_MS = 1000
const MAX_RETRY_AFTER_MS = 60 * 60 * 1000
/** What a 429 without Retry-After is taken to say. */
const DEFAULT_RETRY_AFTER_MS = 1000

/**
 * How long to wait before the next attempt: full jitter, so that many who failed together do not come back together.
 * @param failures attempts that failed so far, from 1
 * @param random in [0, 1)
 */
export function backOffMs (failures: number, random: () => number): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** failures)
}

/** Waits; throws the signal's reason when it ends first. */
export async function pause (delayMs: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? undefined : { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}

/**
 * Retry-After in seconds or as a date: RFC 9110, section 10.2.3. Never more than an hour.
 * @param nowMs wall clock
 */
export function retryAfterMs (header: string | undefined, nowMs: number): number {
  const text = header?.trim() ?? ''
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs
  if (Number.isNaN(wait)) return DEFAULT_RETRY_AFTER_MS
  return Math.min(Math.max(wait, 0), MAX_RETRY_AFTER_MS)
}
