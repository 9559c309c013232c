import { formatDuration } from '../../../src/values/duration.ts'
import type { Plan } from '../../plan.ts'
import type { Scenario } from '../../scenario.ts'
import type { Problem } from '../problem.ts'

/** What would begin only after the run has ended. */
export function timeProblems (scenario: Scenario, plan: Plan): Problem[] {
  const { limitMs, faults } = scenario
  const starts = [...plan.hosts.map(({ pull }) => pull?.startMs ?? 0), ...plan.rolling.map(({ fromMs }) => fromMs)]
  const last = starts.reduce((latest, ms) => Math.max(latest, ms), 0)
  const late = faults.flatMap(({ fromMs }, index): Problem[] => fromMs < limitMs
    ? []
    : [{ path: ['faults', index, 'at'], text: `begins at ${formatDuration(fromMs)}, when the run has ended; expected a time before its limit of ${formatDuration(limitMs)}` }])
  if (last < limitMs) return late
  return [...late, { path: ['limit'], text: `${formatDuration(limitMs)} is not after the last host begins; expected more than ${formatDuration(Math.ceil(last))}` }]
}
