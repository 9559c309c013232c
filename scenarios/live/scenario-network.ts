import type { GroupPath, HostGroup, OriginSpec, Scenario } from '../scenario.ts'
import { bridgedNetwork, type BridgedNetwork, type Uplink } from './bridged-network.ts'
import type { OneWay } from './link-discipline.ts'
import type { Link } from './network.ts'

export interface ShapingInit {
  /** The kernel can hold packets back. */
  readonly hasDelay: boolean
}

const NO_LIMIT = { rate: Infinity }

/** Places for the hosts of a scenario, whose links are not shaped yet. */
export async function openNetwork ({ groups, paths }: Scenario): Promise<BridgedNetwork> {
  return bridgedNetwork(groups.map(({ name, count }) => ({ hosts: count, hasUplink: paths.some(({ from }) => from === name) })))
}

/** Shapes what hosts share: paths of groups, and media. Their own links are shaped one by one. */
export async function shapeShared (network: BridgedNetwork, scenario: Scenario, init: ShapingInit): Promise<void> {
  for (const [group, { name }] of scenario.groups.entries()) {
    const paths = scenario.paths.filter(({ from }) => from === name)
    if (paths.length > 0) await network.shapeUplink(group, uplinkOf(scenario, paths, init))
  }
  for (const { name, rate } of scenario.media) {
    await network.shareMedium(rate, [...scenario.groups.entries()].filter(([, { medium }]) => medium === name).map(([group]) => group))
  }
}

/** Of a host of that group. @param factor - of its rates, what remains of them */
export function linkOf ({ up, down, latencyMs, loss }: HostGroup, { hasDelay }: ShapingInit, factor = 1): Link {
  const way = (rate: number): OneWay => ({ rate: rate * factor, ...hasDelay && { delayMs: latencyMs, loss } })
  return { up: way(up), down: way(down) }
}

export function originLink ({ up, latencyMs }: OriginSpec, { hasDelay }: ShapingInit): Link {
  const delay = hasDelay ? { delayMs: latencyMs } : {}
  return { up: { rate: up, ...delay }, down: { ...NO_LIMIT, ...delay } }
}

function uplinkOf ({ groups }: Scenario, paths: readonly GroupPath[], { hasDelay }: ShapingInit): Uplink {
  const way = (rate: number, { latencyMs }: GroupPath): OneWay => ({ rate, ...hasDelay && { delayMs: latencyMs } })
  const whole = paths.find(({ to }) => to === undefined)
  const shares = paths.filter(path => path !== whole).map(path => ({
    with: path.to === 'origin' ? 'registry' as const : groups.findIndex(({ name }) => name === path.to),
    up: way(path.up, path),
    down: way(path.down, path)
  }))
  return { up: whole === undefined ? NO_LIMIT : way(whole.up, whole), down: whole === undefined ? NO_LIMIT : way(whole.down, whole), shares }
}
