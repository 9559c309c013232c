import { isCounted } from './host-record.ts'
import { percentile } from './percentile.ts'
import type { HostRecord } from './host-record.ts'

/** How long hosts took, each from its own start, in milliseconds. */
export interface Completion {
  /** Those whose completion counts. */
  readonly counted: number
  readonly done: number
  /** Of `counted`, as all shares here: who never was done ranks last, so a percentile that meets one is null. */
  readonly doneShare: number | null
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
  readonly p999: number | null
  readonly max: number | null
}

export function completionOf (hosts: readonly HostRecord[]): Completion {
  const counted = hosts.filter(isCounted)
  const times = counted.flatMap(({ startedMs, doneMs }) => startedMs === null || doneMs === null ? [] : [doneMs - startedMs]).sort((a, b) => a - b)
  const at = (share: number): number | null => percentile(times, share, counted.length)
  return {
    counted: counted.length,
    done: times.length,
    doneShare: counted.length === 0 ? null : times.length / counted.length,
    p50: at(0.5),
    p90: at(0.9),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1)
  }
}

/** When the last of those that count was done, from the start of the run; null: one never was, or there is none. */
export function lastDoneMs (hosts: readonly HostRecord[]): number | null {
  const ends = hosts.filter(isCounted).map(({ doneMs }) => doneMs)
  return ends.length === 0 || ends.includes(null) ? null : ends.reduce((last, end) => Math.max(last ?? 0, end ?? 0), 0)
}
