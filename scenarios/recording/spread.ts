import type { Spread } from '../result.ts'
import type { HostProgress } from './host-progress.ts'
import type { HostRecord } from './host-record.ts'

const MAX_ROWS = 100

/** The progress of hosts in the order in which they were done, the never done last; of many, some that are evenly apart in it. */
export function spreadOf (hosts: readonly HostRecord[], progress: HostProgress, at: readonly number[]): Spread {
  const endMs = at.at(-1) ?? 0
  const order = hosts.filter(({ outcome }) => outcome !== 'idle')
    .sort((a, b) => (a.doneMs ?? Infinity) - (b.doneMs ?? Infinity) || a.index - b.index)
  const rows = Math.min(MAX_ROWS, order.length)
  const chosen = Array.from({ length: rows }, (_, row) => order[rows === 1 ? 0 : Math.round(row * (order.length - 1) / (rows - 1))])
    .filter(host => host !== undefined)
  return { hosts: chosen.map(({ planned }) => planned.name), at, percent: chosen.map(({ index }) => progress.row(index, endMs)) }
}
