import type { Arrival, FaultSpec, HostGroup, PullSpec } from '../scenario.ts'
import type { FaultEntry } from './fault-schema.ts'
import type { Names } from './names.ts'
import type { Problem } from './problem.ts'
import type { ArrivalEntry, PullEntry } from './pull-schema.ts'
import type { Amount } from './value-types.ts'

/** Who pulls what and when; each group in one pull at the most. */
export function assemblePulls (entries: readonly PullEntry[], groups: readonly HostGroup[], groupNames: Names, imageNames: Names, problems: Problem[]): PullSpec[] {
  const pullOf = new Map<string, number>()
  return entries.map((entry, index): PullSpec => {
    const path = ['pulls', index]
    const pulling = groupNames.meanings(entry.groups, [...path, 'groups'])
    for (const group of pulling) {
      const other = pullOf.get(group)
      if (other !== undefined) problems.push({ path: [...path, 'groups'], text: `the group ${group} is in pulls.${other} already; expected each group in one pull, which may be of several images` })
      pullOf.set(group, index)
    }
    const hosts = Math.round(countOf(groups, pulling) * entry.share)
    return {
      images: imageNames.meanings(entry.images, [...path, 'images']),
      groups: pulling,
      share: entry.share,
      parallelLayers: entry.parallelLayers,
      arrival: arrivalOf(entry.arrival, hosts)
    }
  })
}

/** @param hosts - that arrive in all */
function arrivalOf (entry: ArrivalEntry, hosts: number): Arrival {
  const fromMs = entry.from
  switch (entry.type) {
    case 'at-once': return { type: 'at-once', fromMs, withinMs: entry.within }
    case 'uniform': return { type: 'uniform', fromMs, overMs: entry.over }
    case 'poisson': return { type: 'poisson', fromMs, perSecond: entry.perSecond }
    case 'waves': return { type: 'waves', fromMs, hosts: hostsOf(entry.hosts, hosts), everyMs: entry.every }
    case 'rolling': return { type: 'rolling', fromMs, maxUnavailable: hostsOf(entry.maxUnavailable, hosts) }
    default: return entry satisfies never
  }
}

/** What goes wrong, with numbers of hosts for shares. */
export function assembleFaults (entries: readonly FaultEntry[], groups: readonly HostGroup[], names: Names): FaultSpec[] {
  return entries.map((entry, index): FaultSpec => {
    const hit = names.meanings(entry.type === 'dht-loss' ? undefined : entry.groups, ['faults', index, 'groups'])
    const all = countOf(groups, hit)
    const { fromMs, untilMs } = entry.type === 'lie' ? { fromMs: 0, untilMs: 0 } : entry.at
    return {
      type: entry.type,
      groups: hit,
      hosts: 'hosts' in entry ? hostsOf(entry.hosts, all) : all,
      fromMs,
      untilMs,
      forMs: ('for' in entry ? entry.for : undefined) ?? Infinity,
      factor: entry.type === 'slow' ? entry.to : entry.type === 'dht-loss' ? entry.share : 1
    }
  })
}

/** A share of some hosts is one host at least: nobody writes 5 % to mean none. */
function hostsOf (amount: Amount, all: number): number {
  return amount.type === 'count' ? amount.count : Math.max(Math.round(all * amount.share), Math.min(all, 1))
}

function countOf (groups: readonly HostGroup[], names: readonly string[]): number {
  return groups.reduce((sum, { name, count }) => sum + (names.includes(name) ? count : 0), 0)
}
