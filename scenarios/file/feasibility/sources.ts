import { canGive, earliestStart, lackedBy, named, originObstacle } from './givers.ts'
import type { Plan, PlannedHost } from '../../plan.ts'
import type { HostGroup, Scenario } from '../../scenario.ts'
import type { Problem } from '../problem.ts'
import type { GroupPlace } from './feasibility.ts'
import type { OriginObstacle } from './givers.ts'

/** Hosts that can take nothing, and layers that nobody can give. */
export function sourceProblems (scenario: Scenario, plan: Plan, placeOf: GroupPlace): Problem[] {
  const takers = plan.hosts.filter(host => lackedBy(host).length > 0)
  const idle = idlePulls(scenario, plan)
  if (takers.length === 0) return idle.length > 0 ? idle : [{ path: ['pulls'], text: 'nobody pulls anything that it has not; expected a host that lacks a layer' }]
  const deaf = new Set(takers.filter(({ group }) => group.down === 0).map(({ group }) => group.name))
  const firstMs = takers.reduce((first, host) => Math.min(first, earliestStart(scenario, host)), Infinity)
  const obstacle = originObstacle(scenario, firstMs)
  return [
    ...idle,
    ...[...deaf].map(group => ({ path: [...placeOf(group), 'down'], text: '0 is not allowed, as these hosts pull; expected a rate such as 300MB/s' })),
    ...(obstacle === undefined ? [] : lostLayers(takers, plan.hosts, obstacle, placeOf))
  ]
}

/** Pulls whose share of so few hosts is none. */
function idlePulls ({ pulls }: Scenario, { hosts }: Plan): Problem[] {
  return pulls.flatMap(({ groups }, index): Problem[] => hosts.some(({ group, pull }) => pull !== undefined && groups.includes(group.name))
    ? []
    : [{ path: ['pulls', index, 'share'], text: 'is less than one host of these groups; expected a larger share, or more hosts' }])
}

/** Without an origin somebody else must hold each layer, and be able to give it. */
function lostLayers (takers: readonly PlannedHost[], hosts: readonly PlannedHost[], { path, reason, remedy }: OriginObstacle, placeOf: GroupPlace): Problem[] {
  const wanted = new Set(takers.flatMap(host => lackedBy(host).map(({ name }) => name)))
  const unheld: string[] = []
  const mute = new Map<HostGroup, Set<string>>()
  for (const layer of wanted) {
    const holders = hosts.filter(({ held }) => held.has(layer))
    if (holders.length === 0) unheld.push(layer)
    if (holders.some(canGive)) continue
    for (const { group } of holders) mute.set(group, (mute.get(group) ?? new Set()).add(layer))
  }
  return [
    ...(unheld.length === 0 ? [] : [{ path, text: `${reason}, and nobody holds ${named(unheld)}; ${remedy}, or let a group hold the image (holds)` }]),
    ...[...mute].map(([group, layers]) => ({
      path: [...placeOf(group.name), group.isLeech ? 'leech' : 'up'],
      text: `these hosts alone hold ${named([...layers])} and give nothing, and ${reason}; let them send, or let others hold it too`
    }))
  ]
}
