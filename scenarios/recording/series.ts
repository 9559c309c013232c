import { StepSums } from './step-sums.ts'
import type { Series } from '../result.ts'
import type { TimeSteps } from './time-steps.ts'

const COLUMNS = ['fromOrigin', 'fromMembers', 'inVain', 'controlBytes', 'originBytes', 'originRequests', 'done', 'started'] as const

export type SeriesColumn = typeof COLUMNS[number]

export function newSeriesSums (steps: TimeSteps): StepSums<SeriesColumn> {
  return new StepSums(COLUMNS, steps)
}

/** What was summed up to `endMs`: bytes and requests by step, hosts by then. */
export function seriesOf (sums: StepSums<SeriesColumn>, steps: TimeSteps, endMs: number): Series {
  const column = (name: SeriesColumn): number[] => sums.sums(name, endMs)
  const started = column('started')
  // Asked for after a column, as that is what may have widened it.
  const { stepMs } = steps
  return {
    stepMs,
    at: started.map((_, step) => (step + 1) * stepMs),
    fromOrigin: column('fromOrigin'),
    fromMembers: column('fromMembers'),
    inVain: column('inVain'),
    controlBytes: column('controlBytes'),
    originBytes: column('originBytes'),
    originRequests: column('originRequests'),
    done: runningSums(column('done')),
    started: runningSums(started)
  }
}

function runningSums (values: readonly number[]): number[] {
  let sum = 0
  return values.map(value => (sum += value))
}
