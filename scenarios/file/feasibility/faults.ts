import { planOf } from '../../plan.ts'
import type { Plan } from '../../plan.ts'
import type { Scenario } from '../../scenario.ts'
import type { Problem } from '../problem.ts'

/** Faults that have not as many hosts to hit as they say: a group is smaller, or earlier faults have hit its hosts. */
export function faultProblems (scenario: Scenario, plan: Plan): Problem[] {
  if (hit(plan) === wanted(scenario, scenario.faults.length)) return []
  return scenario.faults.flatMap(({ groups, hosts }, index): Problem[] => {
    if (!hitsHosts(scenario, index)) return []
    const before = hit(planOf({ ...scenario, faults: scenario.faults.slice(0, index) }))
    const found = hit(planOf({ ...scenario, faults: scenario.faults.slice(0, index + 1) })) - before
    if (found === hosts) return []
    const all = scenario.groups.reduce((sum, { name, count }) => sum + (groups.includes(name) ? count : 0), 0)
    const reason = all < hosts ? `its groups have ${all}` : `faults above it have left ${found} of the ${all} in its groups, and a host has one fault at the most`
    return [{ path: ['faults', index, 'hosts'], text: `${hosts} hosts are more than there are: ${reason}; expected ${found === 0 ? 'fewer there' : `at most ${found}`}` }]
  })
}

function hit ({ hosts }: Plan): number {
  return hosts.reduce((sum, { faults }) => sum + faults.length, 0)
}

function wanted (scenario: Scenario, faults: number): number {
  return scenario.faults.slice(0, faults).reduce((sum, { hosts }, index) => sum + (hitsHosts(scenario, index) ? hosts : 0), 0)
}

function hitsHosts ({ faults }: Scenario, index: number): boolean {
  const type = faults[index]?.type
  return type !== 'partition' && type !== 'dht-loss'
}
