import { setTimeout as delay } from 'node:timers/promises'

/** Time of a run, of which the end may come at any moment. */
export interface RunTime {
  /** Milliseconds since the start of the run. */
  readonly nowMs: () => number
  /** Aborted when nothing more is to happen. */
  readonly end: AbortSignal
}

/** Resolves at that time of the run. @returns false: the run has ended, or that time never comes */
export async function reached ({ nowMs, end }: RunTime, atMs: number): Promise<boolean> {
  if (atMs === Infinity || end.aborted) return false
  try {
    await delay(Math.max(0, atMs - nowMs()), undefined, { signal: end })
    return true
  } catch {
    return false
  }
}
