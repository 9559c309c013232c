import { canGive, earliestStart, lackedBy, named, originObstacle } from './givers.ts'
import type { Plan, PlannedHost } from '../../plan.ts'
import type { Expectation, FaultSpec, Scenario } from '../../scenario.ts'
import type { Problem } from '../problem.ts'

/**
 * Partitions that never heal and leave a side without a layer, where an expectation says that hosts of that side must be done.
 * Who has begun before the cut may have fetched it; who has not can't.
 */
export function partitionProblems (scenario: Scenario, plan: Plan): Problem[] {
  const cuts = scenario.faults.map((fault, index) => ({ fault, index })).filter(({ fault }) => fault.type === 'partition')
  return cuts.flatMap(({ fault, index }, cut): Problem[] => {
    const { fromMs = 0, toMs = 0 } = plan.partitions[cut] ?? {}
    if (toMs < scenario.limitMs) return []
    const lost = lostBehind(scenario, plan, fault, fromMs)
    return lost.hosts.length === 0
      ? []
      : [{ path: ['faults', index], text: `never heals within the run: ${named(lost.hosts)} can't get ${named(lost.layers)}, but must be done by what is expected; give it an end (for), or let a group on that side hold the image` }]
  })
}

function lostBehind (scenario: Scenario, plan: Plan, { groups }: FaultSpec, fromMs: number): { hosts: string[], layers: string[] } {
  const isCutOff = ({ group }: PlannedHost) => groups.includes(group.name)
  const inside = plan.hosts.filter(isCutOff)
  const outside = plan.hosts.filter(host => !isCutOff(host))
  const sides = originObstacle(scenario, fromMs) === undefined ? [inside] : [inside, outside]
  const hosts: string[] = []
  const layers = new Set<string>()
  for (const side of sides) {
    const givers = side.filter(canGive)
    const early = new Set(side.filter(host => earliestStart(scenario, host) < fromMs).flatMap(host => lackedBy(host).map(({ name }) => name)))
    const held = new Set([...early, ...givers.flatMap(host => [...host.held])])
    for (const host of side) {
      if (earliestStart(scenario, host) < fromMs || !mustFinish(scenario.expect, host)) continue
      const lost = lackedBy(host).filter(({ name }) => !held.has(name))
      if (lost.length > 0) hosts.push(host.name)
      for (const { name } of lost) layers.add(name)
    }
  }
  return { hosts, layers: [...layers] }
}

/** All hosts must be done, or all of its group. Liars and those who are killed do not count. */
function mustFinish (expect: readonly Expectation[], { group, faults }: PlannedHost): boolean {
  if (faults.some(({ type }) => type === 'lie' || type === 'kill')) return false
  return expect.some(({ figure, comparison, value, of }) => {
    const isOfHost = figure === 'done.share' || figure === `group.${group.name}.done.share`
    return isOfHost && of === undefined && (comparison === '>=' || comparison === '==') && value === 1
  })
}
