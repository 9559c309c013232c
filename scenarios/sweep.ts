import type { Result } from './result.ts'
import type { Scenario } from './scenario.ts'

/** One value of the key that is swept, as it was written. */
export interface SweepCase {
  readonly value: string
  readonly scenario: Scenario
}

export interface SweepPoint {
  readonly value: string
  readonly result: Result
}

export interface SweepInit {
  readonly run: (scenario: Scenario, options: { readonly signal: AbortSignal, readonly value: string }) => Promise<Result>
  /** Cases at a time. */
  readonly atOnce: number
  readonly signal?: AbortSignal
}

/**
 * Runs all cases, so many at a time, those with most hosts first so that none is left alone in the end. The points are in the
 * order of the cases. An abort leaves out those that have not begun. @throws what the first that failed throws; the others end too
 */
export async function sweep (cases: readonly SweepCase[], { run, atOnce, signal }: SweepInit): Promise<SweepPoint[]> {
  const failed = new AbortController()
  const ended = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal])
  const waiting = [...cases].sort((a, b) => hostsOf(b) - hostsOf(a))
  const results = new Map<SweepCase, Result>()
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined && !ended.aborted; next = waiting.shift()) {
      try {
        results.set(next, await run(next.scenario, { signal: ended, value: next.value }))
      } catch (error) {
        failed.abort(error)
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, cases.length) }, work))
  failed.signal.throwIfAborted()
  return cases.flatMap(each => {
    const result = results.get(each)
    return result === undefined ? [] : [{ value: each.value, result }]
  })
}

function hostsOf ({ scenario: { groups } }: SweepCase): number {
  return groups.reduce((sum, { count }) => sum + count, 0)
}
