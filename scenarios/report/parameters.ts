import { bytesText, countText, durationText, rateText, shareText } from '../quantity-text.ts'
import { html } from './markup.ts'
import { facts, table } from './table.ts'
import type { Arrival, FaultSpec, HostGroup, OriginSpec, Scenario } from '../scenario.ts'
import type { Markup } from './markup.ts'

/** Layers that are named; of more, how many there are. */
const MAX_LAYERS = 6

/** What was rehearsed: all that the scenario says. */
export function parameters (scenario: Scenario): Markup {
  return html`<h3>Hosts</h3>
${groupTable(scenario.groups)}
<h3>Everything else</h3>
${facts([
  ['origin', originText(scenario.origin)],
  ...scenario.images.map(({ name, layers }) => [`image ${name}`, `${bytesText(layers.reduce((sum, { bytes }) => sum + bytes, 0))}: ${layersText(layers)}`] as const),
  ...scenario.pulls.map(({ images, groups, share, parallelLayers, arrival }) => ['pull', `${images.join(', ')} by ${share < 1 ? `${shareText(share)} of ` : ''}${groups.join(', ')}, ${arrivalText(arrival)}; ${parallelLayers} layers at a time`] as const),
  ...scenario.faults.map(fault => ['fault', faultText(fault)] as const),
  ...scenario.paths.map(({ from, to, up, down, latencyMs }) => ['path', `${from} to ${to ?? 'all others'}: ${rateText(up)} there, ${rateText(down)} back, ${latencyMs} ms`] as const),
  ...scenario.media.map(({ name, rate }) => ['shared medium', `${name}, ${rateText(rate)}`] as const),
  ['agents', agentText(scenario)],
  ['discovery', `${scenario.discovery.neighbours} neighbours each; a DHT lookup takes ${scenario.discovery.dhtHops} hops of ${scenario.discovery.hopMs} ms and the way`],
  ['ends at the latest', durationText(scenario.limitMs)],
  ['seed', String(scenario.seed)]
])}`
}

function groupTable (groups: readonly HostGroup[]): Markup {
  const rows = groups.map(group => [group.name, countText(group.count), rateText(group.down), rateText(group.up), `${group.latencyMs} ms`, notesOf(group).join('; ')])
  return table([{ title: 'Group' }, { title: 'Hosts', isNumber: true }, { title: 'Down', isNumber: true }, { title: 'Up', isNumber: true }, { title: 'One way', isNumber: true }, { title: 'And' }], rows)
}

function notesOf ({ loss, zone, medium, isLeech, churn, holds }: HostGroup): string[] {
  return [
    ...zone === undefined ? [] : [`zone ${zone}`],
    ...medium === undefined ? [] : [`on ${medium}`],
    ...loss === 0 ? [] : [`loses ${shareText(loss)} of packets`],
    ...isLeech ? ['gives nothing'] : [],
    ...churn === undefined ? [] : [`stays ${durationText(churn.meanUpMs)} on average, ${churn.meanDownMs === Infinity ? 'then for good away' : `away ${durationText(churn.meanDownMs)}`}`],
    ...holds.map(({ image, layers, share }) => `${share < 1 ? `${shareText(share)} of them hold` : 'holds'} ${layers === undefined ? image : `${layers.join(', ')} of ${image}`}`)
  ]
}

function originText (origin: OriginSpec | undefined): string {
  if (origin === undefined) return 'none'
  const { up, latencyMs, hasRanges, outages, rejectShare, retryAfterMs } = origin
  return [
    `${rateText(up)}, ${latencyMs} ms away`,
    hasRanges ? 'answers Range' : 'knows no Range',
    ...outages.map(({ fromMs, toMs }) => `out from ${durationText(fromMs)} ${toMs === Infinity ? 'to the end' : `to ${durationText(toMs)}`}`),
    ...rejectShare === 0 ? [] : [`answers ${shareText(rejectShare)} of requests by 429, and to come again after ${durationText(retryAfterMs)}`]
  ].join('; ')
}

function layersText (layers: ReadonlyArray<{ readonly name: string, readonly bytes: number }>): string {
  const named = layers.slice(0, MAX_LAYERS).map(({ name, bytes }) => `${name} ${bytesText(bytes)}`)
  return [...named, ...layers.length > MAX_LAYERS ? [`and ${countText(layers.length - MAX_LAYERS)} more layers`] : []].join(', ')
}

function arrivalText (arrival: Arrival): string {
  const from = arrival.fromMs === 0 ? '' : ` from ${durationText(arrival.fromMs)} on`
  switch (arrival.type) {
    case 'at-once': return `all at once${arrival.withinMs === 0 ? '' : ` within ${durationText(arrival.withinMs)}`}${from}`
    case 'uniform': return `evenly over ${durationText(arrival.overMs)}${from}`
    case 'poisson': return `${countText(arrival.perSecond)} a second at random${from}`
    case 'waves': return `${countText(arrival.hosts)} at a time, every ${durationText(arrival.everyMs)}${from}`
    case 'rolling': return `by turns, ${countText(arrival.maxUnavailable)} at a time${from}`
    default: return arrival satisfies never
  }
}

function faultText ({ type, groups, hosts, fromMs, untilMs, forMs, factor }: FaultSpec): string {
  const when = type === 'lie' ? '' : ` ${untilMs > fromMs ? `between ${durationText(fromMs)} and ${durationText(untilMs)}` : `at ${durationText(fromMs)}`}`
  const long = type === 'lie' || forMs === Infinity ? '' : ` for ${durationText(forMs)}`
  const who = groups.join(', ')
  switch (type) {
    case 'partition': return `${who} cut off from all others${when}${long}`
    case 'dht-loss': return `${shareText(factor)} of DHT lookups fail${when}${long}`
    case 'slow': return `${countText(hosts)} of ${who} keep ${shareText(factor)} of their rates${when}${long}`
    case 'kill':
    case 'restart':
    case 'stall':
    case 'lie':
      return `${type}: ${countText(hosts)} of ${who}${when}${long}`
    default: return type satisfies never
  }
}

function agentText ({ agent }: Scenario): string {
  const { originPolicy, maxMembers, originConcurrency, uploadSlots, uploadLimit, downloadLimit, isKeyed } = agent
  return [
    isKeyed ? 'one swarm key' : 'open swarm',
    `origin policy ${originPolicy}`,
    `${maxMembers} members at the most`,
    `${originConcurrency} requests to the origin at a time`,
    `${uploadSlots} upload slots`,
    `upload limit ${rateText(uploadLimit)}`,
    `download limit ${rateText(downloadLimit)}`
  ].join(', ')
}
