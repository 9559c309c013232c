import { planOf } from '../../plan.ts'
import { expectationProblems } from './expectations.ts'
import { faultProblems } from './faults.ts'
import { partitionProblems } from './partitions.ts'
import { sourceProblems } from './sources.ts'
import { timeProblems } from './times.ts'
import type { Scenario } from '../../scenario.ts'
import type { Problem } from '../problem.ts'

/** Where a group is written: a repeated one under the name without its number. */
export type GroupPlace = (group: string) => readonly PropertyKey[]

/**
 * Why a scenario can't come to a good end, whatever the agents do; nothing where it may. What chance decides only in the run,
 * such as who leaves when, is not looked at.
 */
export function feasibilityProblems (scenario: Scenario, placeOf: GroupPlace): Problem[] {
  const plan = planOf(scenario)
  return [
    ...timeProblems(scenario, plan),
    ...faultProblems(scenario, plan),
    ...sourceProblems(scenario, plan, placeOf),
    ...partitionProblems(scenario, plan),
    ...expectationProblems(scenario)
  ]
}
