import { shuffled } from '../src/swarm/sample.ts'
import { exponential, randomOf } from './random.ts'
import type { Arrival, FaultType, HostGroup, LayerSpec, PullSpec, Scenario } from './scenario.ts'

/** What will happen to each host, as far as chance decides it before the run: the same for both engines. */
export interface Plan {
  /** Group by group, in the order of the file. */
  readonly hosts: readonly PlannedHost[]
  /** Whose arrival depends on others, in that order, by pull. */
  readonly rolling: ReadonlyArray<{ readonly maxUnavailable: number, readonly fromMs: number, readonly hosts: readonly string[] }>
  readonly partitions: ReadonlyArray<Span & { readonly groups: readonly string[] }>
  readonly dhtLosses: ReadonlyArray<Span & { readonly share: number }>
}

export interface Span {
  readonly fromMs: number
  /** Infinity: to the end. */
  readonly toMs: number
}

export interface PlannedHost {
  /** `<group>-<number>`, from 1. */
  readonly name: string
  readonly group: HostGroup
  /** Names of layers that it holds before. */
  readonly held: ReadonlySet<string>
  readonly pull: PlannedPull | undefined
  readonly faults: readonly PlannedFault[]
}

export interface PlannedPull {
  /** Those of the images, each once, held ones included. */
  readonly layers: readonly LayerSpec[]
  /** Undefined: when others of its rolling pull are done. */
  readonly startMs: number | undefined
  readonly parallelLayers: number
}

export interface PlannedFault extends Span {
  readonly type: Exclude<FaultType, 'partition' | 'dht-loss'>
  readonly factor: number
}

interface Draft {
  readonly name: string
  readonly group: HostGroup
  readonly held: Set<string>
  pull: PlannedPull | undefined
  readonly faults: PlannedFault[]
}

/** The same plan for the same scenario and seed. */
export function planOf (scenario: Scenario): Plan {
  const hosts = scenario.groups.flatMap((group): Draft[] => Array.from({ length: group.count }, (_, index) => (
    { name: `${group.name}-${index + 1}`, group, held: new Set(), pull: undefined, faults: [] }
  )))
  for (const group of scenario.groups) hold(scenario, group, hosts.filter(host => host.group === group))
  const rolling = scenario.pulls.map((pull, index) => ({ pull, order: arrive(scenario, pull, index, hosts) })).flatMap(({ pull, order }) => (
    pull.arrival.type === 'rolling' ? [{ ...pull.arrival, hosts: order.map(({ name }) => name) }] : []
  ))
  fail(scenario, hosts)
  const spans = (type: FaultType) => scenario.faults.filter(fault => fault.type === type).map((fault, index) => {
    const random = randomOf(scenario.seed, `${type} ${index}`)
    const fromMs = between(fault.fromMs, fault.untilMs, random)
    return { fault, fromMs, toMs: fromMs + fault.forMs }
  })
  return {
    hosts,
    rolling,
    partitions: spans('partition').map(({ fault, fromMs, toMs }) => ({ groups: fault.groups, fromMs, toMs })),
    dhtLosses: spans('dht-loss').map(({ fault, fromMs, toMs }) => ({ share: fault.factor, fromMs, toMs }))
  }
}

/** The layers of images, each once, in their order. */
export function layersOf (scenario: Scenario, images: readonly string[]): LayerSpec[] {
  const byName = new Map<string, LayerSpec>()
  for (const { name, layers } of scenario.images) {
    if (!images.includes(name)) continue
    for (const layer of layers) if (!byName.has(layer.name)) byName.set(layer.name, layer)
  }
  return [...byName.values()]
}

function hold (scenario: Scenario, group: HostGroup, hosts: readonly Draft[]): void {
  for (const [index, { image, layers, share }] of group.holds.entries()) {
    const random = randomOf(scenario.seed, `hold ${group.name} ${index}`)
    for (const { held } of shuffled(hosts, random).slice(0, Math.round(hosts.length * share))) {
      for (const { name } of layersOf(scenario, [image])) if (layers?.includes(name) ?? true) held.add(name)
    }
  }
}

/** @returns who pulls, in the order of arrival */
function arrive (scenario: Scenario, { images, groups, share, parallelLayers, arrival }: PullSpec, index: number, hosts: readonly Draft[]): Draft[] {
  const random = randomOf(scenario.seed, `arrive ${index}`)
  const candidates = shuffled(hosts.filter(({ group }) => groups.includes(group.name)), random)
  const order = candidates.slice(0, Math.round(candidates.length * share))
  const layers = layersOf(scenario, images)
  const times = timesOf(arrival, order.length, random)
  for (const [at, host] of order.entries()) host.pull = { layers, startMs: times[at], parallelLayers }
  return order
}

/** Ascending but for those at once, which need not be; none where arrival depends on others. */
function timesOf (arrival: Arrival, count: number, random: () => number): number[] {
  const { fromMs } = arrival
  switch (arrival.type) {
    case 'at-once':
      return Array.from({ length: count }, () => fromMs + random() * arrival.withinMs)
    case 'uniform':
      return Array.from({ length: count }, (_, index) => fromMs + index * arrival.overMs / count)
    case 'poisson': {
      let atMs = fromMs
      return Array.from({ length: count }, () => (atMs += exponential(1000 / arrival.perSecond, random)))
    }
    case 'waves':
      return Array.from({ length: count }, (_, index) => fromMs + Math.floor(index / arrival.hosts) * arrival.everyMs)
    case 'rolling':
      return []
    default:
      return arrival satisfies never
  }
}

/** A host has one fault at the most, so that each does what its scenario says. */
function fail (scenario: Scenario, hosts: readonly Draft[]): void {
  for (const [index, fault] of scenario.faults.entries()) {
    const { type, factor } = fault
    if (type === 'partition' || type === 'dht-loss') continue
    const random = randomOf(scenario.seed, `fault ${index}`)
    const sound = hosts.filter(({ group, faults }) => fault.groups.includes(group.name) && faults.length === 0)
    for (const { faults } of shuffled(sound, random).slice(0, fault.hosts)) {
      const fromMs = type === 'lie' ? 0 : between(fault.fromMs, fault.untilMs, random)
      faults.push({ type, factor, fromMs, toMs: fromMs + fault.forMs })
    }
  }
}

function between (from: number, until: number, random: () => number): number {
  return from + (until - from) * random()
}
