import { layersOf, planOf } from '../plan.ts'
import type { PlannedHost } from '../plan.ts'
import type { LayerSpec, Scenario } from '../scenario.ts'
import type { Sender } from './supply.ts'

/** What has to happen in a rollout before its last host is done. Milliseconds count from the first start. */
export interface Demand {
  /** Those that have to be done: they lack something, and nothing says that they go away for good or are liars. */
  readonly hosts: readonly DemandHost[]
  /** All may go away for good, so `hosts` is the one that can be done soonest. */
  readonly isOfOne: boolean
  /** All that can ever send, but the origin. */
  readonly givers: readonly Giver[]
  readonly origin: Sender | undefined
  /** Layers that no host holds, and how many hosts lack each. */
  readonly cold: ReadonlyArray<{ readonly layer: LayerSpec, readonly lackedBy: number }>
  /** Rolling pulls: who is in them. */
  readonly rolling: ReadonlyArray<{ readonly maxUnavailable: number, readonly fromMs: number, readonly hosts: ReadonlySet<string> }>
}

export interface DemandHost {
  readonly name: string
  readonly group: string
  readonly medium: string | undefined
  /** Bytes per second. */
  readonly down: number
  readonly fromMs: number
  readonly lacked: readonly LayerSpec[]
  readonly bytes: number
}

export interface Giver extends Sender {
  readonly group: string
  readonly medium: string | undefined
  readonly held: ReadonlySet<string>
}

export function demandOf (scenario: Scenario): Demand {
  const { agent, origin } = scenario
  const plan = planOf(scenario)
  const startMs = [...plan.rolling.map(({ fromMs }) => fromMs), ...startsOf(plan.hosts)].reduce((first, start) => Math.min(first, start), Infinity)
  const pulled = layersOf(scenario, scenario.pulls.flatMap(({ images }) => images))
  const lacking = (mayLeave: boolean): DemandHost[] => plan.hosts.filter(host => isHealthy(host) && mayLeaveForGood(host) === mayLeave)
    .map(host => demandHost(host, startMs, scenario)).filter(({ bytes }) => bytes > 0)
  const certain = lacking(false)
  const hosts = certain.length > 0 ? certain : soonest(lacking(true))
  const lackers = new Map<string, number>()
  for (const { lacked } of hosts) for (const { name } of lacked) lackers.set(name, (lackers.get(name) ?? 0) + 1)
  const givers = plan.hosts.filter(({ group, held, pull }) => !group.isLeech && (pull !== undefined || held.size > 0)).map((host): Giver => ({
    group: host.group.name,
    medium: host.group.medium,
    held: host.held,
    rate: Math.min(host.group.up, agent.uploadLimit),
    // who holds nothing can give nothing before it has begun
    fromMs: host.held.size > 0 ? 0 : (host.pull?.startMs ?? startMs) - startMs
  }))
  const held = new Set(givers.flatMap(giver => [...giver.held]))
  return {
    hosts,
    isOfOne: certain.length === 0 && hosts.length > 0,
    givers,
    origin: origin === undefined ? undefined : { rate: origin.up, fromMs: 0, outages: origin.outages.map(({ fromMs, toMs }) => ({ fromMs: fromMs - startMs, toMs: toMs - startMs })) },
    cold: pulled.flatMap(layer => {
      const lackedBy = lackers.get(layer.name) ?? 0
      return lackedBy === 0 || held.has(layer.name) ? [] : [{ layer, lackedBy }]
    }),
    rolling: plan.rolling.map(({ maxUnavailable, fromMs, hosts }) => ({ maxUnavailable, fromMs: fromMs - startMs, hosts: new Set(hosts) }))
  }
}

export function bytesOf (layers: readonly LayerSpec[]): number {
  return layers.reduce((sum, { bytes }) => sum + bytes, 0)
}

function startsOf (hosts: readonly PlannedHost[]): number[] {
  return hosts.flatMap(({ pull }) => pull?.startMs === undefined ? [] : [pull.startMs])
}

function isHealthy ({ pull, faults }: PlannedHost): boolean {
  return pull !== undefined && !faults.some(({ type }) => type === 'kill' || type === 'lie')
}

function mayLeaveForGood ({ group }: PlannedHost): boolean {
  return group.churn?.meanDownMs === Infinity
}

/** At most one. */
function soonest (hosts: readonly DemandHost[]): DemandHost[] {
  const [first, ...others] = hosts
  return first === undefined ? [] : [others.reduce((best, host) => host.fromMs + host.bytes / host.down * 1000 < best.fromMs + best.bytes / best.down * 1000 ? host : best, first)]
}

function demandHost ({ name, group, held, pull }: PlannedHost, startMs: number, { agent, media }: Scenario): DemandHost {
  const lacked = pull?.layers.filter(layer => !held.has(layer.name)) ?? []
  return {
    name,
    group: group.name,
    medium: group.medium,
    down: Math.min(group.down, agent.downloadLimit, media.find(({ name }) => name === group.medium)?.rate ?? Infinity),
    fromMs: (pull?.startMs ?? startMs) - startMs,
    lacked,
    bytes: bytesOf(lacked)
  }
}
