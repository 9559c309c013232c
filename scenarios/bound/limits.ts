import { bytesText, durationText, hostsText, rateText } from '../quantity-text.ts'
import { pieceCount } from '../../src/swarm/pieces.ts'
import { bytesOf } from './demand.ts'
import { doublings } from './equal-links.ts'
import { sentBy, soonestMs } from './supply.ts'
import type { Bound } from '../result.ts'
import type { Scenario } from '../scenario.ts'
import type { Demand, DemandHost } from './demand.ts'

/** Each host's own link: F/d after its own start (Kumar, Ross: Peer-assisted file distribution, 2006). */
export function ownLinkLimit ({ hosts }: Demand): Bound {
  const last = hosts.reduce((slowest, host) => endMs(host) > endMs(slowest) ? host : slowest)
  const late = last.fromMs === 0 ? '' : `, and it starts ${durationText(last.fromMs)} after the first`
  return { ms: endMs(last), because: `a host of ${last.group} has to receive ${bytesText(last.bytes)} at ${rateText(last.down)}${late}` }
}

/** A rolling pull has only so many hosts on their way at a time. */
export function rollingLimits ({ hosts, rolling }: Demand): Bound[] {
  return rolling.flatMap(({ maxUnavailable, fromMs, hosts: names }) => {
    const times = hosts.filter(({ name }) => names.has(name)).map(transferMs)
    if (times.length === 0) return []
    const rounds = Math.ceil(times.length / maxUnavailable)
    const ms = fromMs + Math.max(times.reduce((sum, time) => sum + time, 0) / maxUnavailable, rounds * Math.min(...times))
    return [{ ms, because: `${hostsText(times.length)} pull by turns, ${maxUnavailable} at a time, and each has to receive its part over its own link` }]
  })
}

/**
 * F/u_origin, and then the doublings: the origin's last piece has left it once when all have, and those that have it can only
 * double in the time of a piece. With equal links this is T* of `equalLinksMs`. A piece is as long as they are on average.
 */
export function originLimit ({ givers, origin, cold }: Demand): Bound {
  const bytes = bytesOf(cold.map(({ layer }) => layer))
  if (origin === undefined) return { ms: bytes > 0 ? Infinity : 0, because: `nobody holds ${cold.map(({ layer }) => layer.name).join(', ')}, and there is no origin` }
  const leftMs = soonestMs(bytes, atMs => sentBy([origin], atMs))
  const least = Math.min(...cold.map(({ lackedBy }) => lackedBy))
  const pieceBytes = bytes / cold.reduce((sum, { layer }) => sum + pieceCount(layer.bytes), 0)
  const fastest = givers.reduce((rate, giver) => Math.max(rate, giver.rate), origin.rate)
  const times = bytes > 0 ? doublings(least) : 0
  const isOut = (origin.outages ?? []).some(({ fromMs, toMs }) => fromMs < leftMs && toMs > 0)
  const sending = `the origin has to send ${bytesText(bytes)} once at ${rateText(origin.rate)}${isOut ? ', outages not counted' : ''}`
  return times === 0
    ? { ms: leftMs, because: sending }
    : { ms: leftMs + times * 1000 * pieceBytes / fastest, because: `${sending}, and those that have its last piece of ${bytesText(pieceBytes)} have to double ${times === 1 ? 'once' : `${times} times`} to be ${hostsText(least)}` }
}

/** N·F/(u_origin + Σ u_i), with links that are there from when their host can have something to give. */
export function uplinksLimit ({ hosts, givers, origin }: Demand): Bound {
  const bytes = sumOf(hosts)
  const senders = [...givers, ...origin === undefined ? [] : [origin]]
  return { ms: soonestMs(bytes, atMs => sentBy(senders, atMs)), because: `all uplinks together have to send ${bytesText(bytes)}` }
}

/** What a group lacks comes over its border once, and all it receives over that or from its own hosts. */
export function borderLimits (scenario: Scenario, { hosts, givers }: Demand): Bound[] {
  return scenario.groups.flatMap(({ name }) => {
    const members = hosts.filter(({ group }) => group === name)
    const rate = entryRate(scenario, name)
    if (members.length === 0 || rate === Infinity) return []
    const own = givers.filter(({ group }) => group === name)
    const layers = new Map(members.flatMap(({ lacked }) => lacked).map(layer => [layer.name, layer]))
    const strange = bytesOf([...layers.values()].filter(layer => !own.some(({ held }) => held.has(layer.name))))
    const border = { rate, fromMs: Math.min(...members.map(({ fromMs }) => fromMs)) }
    const all = sumOf(members)
    return [
      { ms: soonestMs(strange, atMs => sentBy([border], atMs)), because: `${bytesText(strange)} have to come to ${name} once at ${rateText(rate)}` },
      { ms: soonestMs(all, atMs => sentBy([border, ...own], atMs)), because: `the hosts of ${name} have to receive ${bytesText(all)}, from outside at ${rateText(rate)} and from each other` }
    ]
  })
}

/**
 * A byte takes the medium once for the host that receives it, and once more unless it comes from outside: D bytes at a rate R,
 * of which W can come from outside, take max{D, 2D - W}/R.
 */
export function mediumLimits ({ media }: Scenario, { hosts, givers, origin }: Demand): Bound[] {
  return media.flatMap(({ name, rate }) => {
    const members = hosts.filter(({ medium }) => medium === name)
    if (members.length === 0) return []
    const bytes = sumOf(members)
    const outside = [...givers.filter(({ medium }) => medium !== name), ...origin === undefined ? [] : [origin]]
    const air = { rate, fromMs: Math.min(...members.map(({ fromMs }) => fromMs)) }
    const onceMs = soonestMs(bytes, atMs => sentBy([air], atMs))
    const twiceMs = soonestMs(2 * bytes, atMs => sentBy([air, ...outside], atMs))
    const shared = `${hostsText(members.length)} have to receive ${bytesText(bytes)} over ${name}, which all share at ${rateText(rate)}`
    return [{ ms: onceMs, because: shared }, { ms: twiceMs, because: `${shared}, and what they have from each other passes it twice` }]
  })
}

/** Bytes per second that can come to a group at the most. */
function entryRate ({ groups, paths, origin }: Scenario, group: string): number {
  const own = paths.filter(({ from, to }) => from === group || to === group)
  const others = [...groups.filter(({ name }) => name !== group).map(({ name }) => name), ...origin === undefined ? [] : ['origin']]
  const isClosed = own.some(({ from, to }) => from === group && to === undefined) || others.every(other => own.some(({ from, to }) => from === other || to === other))
  return isClosed ? own.reduce((rate, { from, up, down }) => rate + (from === group ? down : up), 0) : Infinity
}

function transferMs ({ bytes, down }: DemandHost): number {
  return 1000 * bytes / down
}

function endMs (host: DemandHost): number {
  return host.fromMs + transferMs(host)
}

function sumOf (hosts: readonly DemandHost[]): number {
  return hosts.reduce((sum, { bytes }) => sum + bytes, 0)
}
