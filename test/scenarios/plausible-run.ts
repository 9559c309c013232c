import { Recorder } from '../../scenarios/recorder.ts'
import { planOf } from '../../scenarios/plan.ts'
import { randomOf } from '../../scenarios/random.ts'
import type { PlannedHost } from '../../scenarios/plan.ts'
import type { Result, RunObserver } from '../../scenarios/result.ts'
import type { FaultSpec, HostGroup, Scenario } from '../../scenarios/scenario.ts'

const MB = 1_000_000
const PIECE_BYTES = 4 * MB
/** Of a host's link, on average. */
const PACE = 0.94

export interface PlausibleInit {
  /** @default 1 */
  readonly seed?: number
  /** Of the large group. @default 40 */
  readonly hosts?: number
  /** @default all there are: a kill, a slow host, a liar, an outage of the origin */
  readonly hasFaults?: boolean
  /** How many times longer than it need take. @default 1 */
  readonly slowness?: number
  /** The run is ended then, in milliseconds. @default at its end */
  readonly endMs?: number
}

/** A rollout of racks and one seeder, in which all goes on that a report can show. */
function plausibleScenario ({ seed = 1, hosts = 40, hasFaults = true }: PlausibleInit = {}): Scenario {
  const rack: HostGroup = { name: 'rack', count: hosts, up: 100 * MB, down: 100 * MB, latencyMs: 0.2, loss: 0, zone: 'east', medium: undefined, isLeech: false, churn: undefined, holds: [] }
  const fault = (type: FaultSpec['type'], groups: readonly string[], more: Partial<FaultSpec> = {}): FaultSpec => ({ type, groups, hosts: 1, fromMs: 2000, untilMs: 4000, forMs: Infinity, factor: 1, ...more })
  return {
    name: 'plausible <rollout>',
    description: 'Two racks and an edge site pull one image at nine o\'clock; the registry & one host fail meanwhile.',
    seed,
    limitMs: Infinity,
    groups: [
      rack,
      { ...rack, name: 'edge', count: Math.ceil(hosts / 4), up: 25 * MB, down: 50 * MB, latencyMs: 12, loss: 0.001, zone: 'edge' },
      { ...rack, name: 'seeder', count: 1, holds: [{ image: 'app', layers: ['base'], share: 1 }] }
    ],
    paths: [{ from: 'edge', to: undefined, up: 100 * MB, down: 12 * MB * hosts, latencyMs: 8 }],
    media: [],
    origin: { up: 100 * MB, latencyMs: 20, hasRanges: true, outages: hasFaults ? [{ fromMs: 5000, toMs: 7000 }] : [], rejectShare: 0, retryAfterMs: 1000 },
    images: [{ name: 'app', layers: [{ name: 'base', bytes: 400 * MB }, { name: 'app', bytes: 600 * MB }] }],
    pulls: [{ images: ['app'], groups: ['rack', 'edge'], share: 1, parallelLayers: 3, arrival: { type: 'at-once', fromMs: 0, withinMs: 200 } }],
    faults: hasFaults ? [fault('kill', ['rack']), fault('slow', ['rack'], { factor: 0.4 }), fault('lie', ['rack'])] : [],
    agent: { originPolicy: 'balanced', maxMembers: 32, originConcurrency: 4, uploadSlots: 6, uploadLimit: Infinity, downloadLimit: Infinity, isKeyed: true },
    discovery: { neighbours: 20, dhtHops: 3, hopMs: 5 },
    expect: [
      { text: 'completion.p99 <= 2.5 x bound', figure: 'completion.p99', comparison: '<=', value: 2.5, of: 'bound' },
      { text: 'origin.bytes <= 1.05 x image', figure: 'origin.bytes', comparison: '<=', value: 1.05, of: 'image' },
      { text: 'completion.p50 <= 5s', figure: 'completion.p50', comparison: '<=', value: 5000, of: undefined },
      { text: 'wrong.bytes == 0', figure: 'wrong.bytes', comparison: '==', value: 0, of: undefined },
      { text: 'group.seeder.completion.max <= 1s', figure: 'group.seeder.completion.max', comparison: '<=', value: 1000, of: undefined }
    ]
  }
}

/** What a Recorder makes of a rollout that nobody ran, but that looks like one. */
export function plausibleResult (init: PlausibleInit = {}): Result {
  const scenario = plausibleScenario(init)
  const recorder = new Recorder(scenario, { engine: 'sim', shoal: '0.1.0' })
  const happenings = planOf(scenario).hosts.flatMap((host, index) => host.pull === undefined ? [] : hostStory(host, index, scenario, init.slowness ?? 1))
  happenings.push(...originStory(scenario))
  happenings.sort((a, b) => a.atMs - b.atMs)
  const told = happenings.filter(({ atMs }) => atMs <= (init.endMs ?? Infinity))
  for (const { tell } of told) tell(recorder)
  return recorder.result({ durationMs: init.endMs ?? told.at(-1)?.atMs ?? 0, isPartial: init.endMs !== undefined })
}

interface Happening {
  readonly atMs: number
  readonly tell: (observer: RunObserver) => void
}

function hostStory ({ name, group, pull, faults }: PlannedHost, index: number, { seed, groups }: Scenario, slowness: number): Happening[] {
  const random = randomOf(seed, name)
  const story: Happening[] = []
  const at = (atMs: number, tell: Happening['tell']): void => { story.push({ atMs, tell }) }
  const [fault] = faults
  const bytes = (pull?.layers ?? []).reduce((sum, layer) => sum + layer.bytes, 0)
  const startMs = pull?.startMs ?? 0
  at(startMs, observer => { observer.started(name, bytes, startMs) })
  if (fault?.type === 'slow') at(fault.fromMs, observer => { observer.event({ atMs: fault.fromMs, type: 'slowed', host: name, detail: `${100 * fault.factor} % of its rates remain` }) })
  const discoveryMs = 80 + 120 * random()
  let atMs = startMs + discoveryMs
  const waits = { discovery: discoveryMs, members: 0, owner: 0 }
  for (let got = 0; got < bytes; got += PIECE_BYTES) {
    const ofRate = fault?.type === 'slow' && atMs > fault.fromMs ? fault.factor : 1
    atMs += slowness * 1000 * PIECE_BYTES / (group.down * PACE * ofRate) * (0.7 + 0.6 * random())
    const pauseMs = random() < 0.02 ? 150 * random() : 0
    waits[random() < 0.7 ? 'members' : 'owner'] += pauseMs
    atMs += pauseMs
    const arrivedMs = atMs
    if (fault?.type === 'kill' && arrivedMs > fault.fromMs) {
      at(fault.fromMs, observer => {
        observer.event({ atMs: fault.fromMs, type: 'killed', host: name, detail: '' })
        observer.left(name, fault.fromMs)
      })
      return story
    }
    const piece = Math.min(PIECE_BYTES, bytes - got)
    const isOwner = got / PIECE_BYTES % (groups[0]?.count ?? 1) === index
    at(arrivedMs, observer => {
      observer.received(name, isOwner ? 'origin' : 'member', piece, arrivedMs)
      observer.control(90, arrivedMs)
      if (isOwner) {
        observer.originAnswered(piece, arrivedMs)
        observer.originSent(piece, arrivedMs)
      } else {
        observer.gave(`${group.name}-${1 + (got / PIECE_BYTES + index) % group.count}`, piece, arrivedMs)
        if (group.name === 'edge' && got % (8 * PIECE_BYTES) === 0) observer.crossedBorder(piece)
      }
      if (fault?.type === 'lie' && got % (20 * PIECE_BYTES) === 0) {
        const to = `rack-${1 + (index + 1) % group.count}`
        observer.lied(name, to, arrivedMs)
        observer.inVain(to, PIECE_BYTES, arrivedMs)
        observer.banned(name, to, arrivedMs)
      }
    })
  }
  const verifyMs = 40 * random()
  const doneMs = atMs + verifyMs
  at(doneMs, observer => {
    for (const cause of ['discovery', 'members', 'owner'] as const) if (waits[cause] > 0) observer.waited(name, cause, waits[cause])
    observer.waited(name, 'verify', verifyMs)
    observer.done(name, doneMs)
  })
  return story
}

function originStory ({ origin }: Scenario): Happening[] {
  return (origin?.outages ?? []).flatMap(({ fromMs, toMs }) => [
    { atMs: fromMs, tell: (observer: RunObserver) => { observer.event({ atMs: fromMs, type: 'origin-down', host: null, detail: '' }) } },
    { atMs: toMs, tell: (observer: RunObserver) => { observer.event({ atMs: toMs, type: 'origin-up', host: null, detail: '' }) } }
  ])
}
