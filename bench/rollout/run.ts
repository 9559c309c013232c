import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import type { Digest } from '../../src/oci/digest.ts'
import { evenLink } from '../../scenarios/live/network.ts'
import type { DockerRegistry } from '../../test/support/docker-registry.ts'
import { pullByAgent } from '../support/agent-pull.ts'
import { completionBound } from './bound.ts'
import { Fleet, type FleetInit, type Host } from './fleet.ts'
import { Observation, type Usage } from './observation.ts'
import { ProgressCurve } from './progress-curve.ts'
import { isWaitedFor, seededHosts, type Role, type Scenario } from './scenario.ts'
import { REFERENCE, type RolloutStage } from './stage.ts'

/** All hosts begin within this time, evenly. */
const START_SPREAD_MS = 100
/** A slow host's speed in that of the others. */
const SLOW_SHARE = 0.1
/** When a host is killed, in T*. */
const KILL_AT = 0.5
/** Twice what a registry would need that serves each host by itself, and a slow host by its own link. */
const DEADLINE_FACTOR = 2
const DEADLINE_EXTRA_MS = 30_000
/** In place of T* for a deadline, where no link has a known speed. */
const UNSHAPED_BYTES_PER_SECOND = 5e6

/** What became of one host. */
export interface HostResult {
  readonly index: number
  readonly role: Role
  /** From the start of the rollout until the whole image is committed here; undefined when it never was. */
  readonly doneMs?: number
  /** Why it never was. */
  readonly error?: string
  /** The image in its store has the bytes that it should; undefined when it is not whole or not looked at. */
  readonly isRight?: boolean
  readonly curve: ProgressCurve['points']
  readonly usage: Usage
}

/** One rollout, measured. Times count from the moment in which the first host began. */
export interface RunResult {
  /** Without those that held the image before. */
  readonly hosts: readonly HostResult[]
  /** T*; undefined where links have no known speed. */
  readonly boundMs?: number
  /** From the start until the last healthy host was done, or undefined when one never was. */
  readonly healthyDoneMs?: number
  readonly endMs: number
  /** Of bodies of blobs and manifests, by the registry's access log: bytes that it has written, also for readers that had left by then. */
  readonly originContentBytes: number
  readonly originRequests: number
  readonly observation: Observation
  /** Connected agents of each host at the start, ascending. */
  readonly neighbours: readonly number[]
  readonly setUpMs: number
}

export interface RunInit {
  readonly stage: RolloutStage
  readonly scenario: Scenario
  readonly fleet: Pick<FleetInit, 'bootstrapHosts' | 'settleMs' | 'agentArgs' | 'faultyMain' | 'logDir'>
}

/** Starts the agents, lets all that lack the image pull it at once, and watches. */
export async function runRollout ({ stage, scenario, fleet: fleetInit }: RunInit): Promise<RunResult> {
  const beganAt = performance.now()
  await shapeAll(stage, scenario, [])
  const fleet = await Fleet.start({ ...fleetInit, scenario, warmUps: stage.warmUps, network: stage.network, registryUrl: stage.registry.url })
  try {
    const seeded = seededHosts(scenario)
    for (const { index, agent } of fleet.hosts) if (seeded.has(index)) await pullByAgent(agent.url, REFERENCE)
    const hosts = fleet.hosts.filter(({ index }) => !seeded.has(index))
    await shapeAll(stage, scenario, fleet.hosts)
    const requestsBefore = (await stage.registry.requests()).length
    const observation = new Observation({ hosts: fleet.hosts.map(({ agent }) => agent.pid), registry: stage.registry.pid, hasLinks: stage.network.isShapeable })
    const setUpMs = performance.now() - beganAt

    const boundMs = boundOf(stage, scenario, hosts.length)
    await stage.memory.topUp()
    await observation.start()
    const pulls = await pullAll(hosts, boundMs, deadlineMs(stage, scenario)).finally(async () => observation.stop())

    const healthy = pulls.filter((_, turn) => hosts[turn]?.role === 'healthy').map(({ doneMs }) => doneMs)
    const results = await Promise.all(hosts.map(async ({ index, role, agent }, turn): Promise<HostResult> => {
      const { doneMs, error, curve } = pulls[turn] ?? { curve: new ProgressCurve() }
      const isRight = doneMs === undefined ? undefined : await holds(agent.dataDir, stage.image.blobs)
      return { index, role, doneMs, error, isRight, curve: curve.points, usage: observation.hosts[index] ?? { cpuSeconds: NaN, peakBytes: NaN } }
    }))
    await fleet.keepLogs()
    // With its readers gone the registry ends its last answers, and logs them.
    await fleet.stop()
    const content = (await stage.registry.requests()).slice(requestsBefore).filter(isContent)
    return {
      hosts: results,
      boundMs,
      healthyDoneMs: healthy.includes(undefined) ? undefined : Math.max(...healthy.map(Number)),
      endMs: Math.max(...pulls.map(({ endMs }) => endMs)),
      originContentBytes: content.reduce((sum, { bytes }) => sum + bytes, 0),
      originRequests: content.length,
      observation,
      neighbours: fleet.neighbours,
      setUpMs
    }
  } finally {
    await fleet.stop()
  }
}

async function shapeAll ({ network }: RolloutStage, { hostBytesPerSecond, originBytesPerSecond }: Scenario, hosts: readonly Host[]): Promise<void> {
  const isShaped = hosts.length > 0
  await network.registry.shape(evenLink(isShaped ? originBytesPerSecond : undefined))
  await Promise.all(network.hosts.map(async (place, index) => {
    const share = hosts[index]?.role === 'slow' ? SLOW_SHARE : 1
    await place.shape(evenLink(isShaped && hostBytesPerSecond !== undefined ? hostBytesPerSecond * share : undefined))
  }))
}

function boundOf ({ image }: RolloutStage, { hostBytesPerSecond }: Scenario, hosts: number): number | undefined {
  if (hostBytesPerSecond === undefined) return undefined
  return 1000 * completionBound({ hosts, bytesPerSecond: hostBytesPerSecond, blobs: [...image.blobs.values()] })
}

function deadlineMs ({ image }: RolloutStage, { hosts, hostBytesPerSecond = UNSHAPED_BYTES_PER_SECOND, originBytesPerSecond = UNSHAPED_BYTES_PER_SECOND, faults }: Scenario): number {
  const slowest = faults.slow === undefined ? hostBytesPerSecond : hostBytesPerSecond * SLOW_SHARE
  return 1000 * DEADLINE_FACTOR * image.bytes * Math.max(hosts / originBytesPerSecond, 1 / slowest) + DEADLINE_EXTRA_MS
}

interface PullResult {
  readonly doneMs?: number
  readonly error?: string
  readonly endMs: number
  readonly curve: ProgressCurve
}

async function pullAll (hosts: readonly Host[], boundMs: number | undefined, withinMs: number): Promise<PullResult[]> {
  const startedAt = performance.now()
  const allDone = new AbortController()
  const signal = AbortSignal.any([allDone.signal, AbortSignal.timeout(Math.ceil(withinMs))])
  const now = (): number => performance.now() - startedAt
  const pull = async ({ agent, role }: Host, turn: number): Promise<PullResult> => {
    const curve = new ProgressCurve()
    const begin = turn * START_SPREAD_MS / Math.max(1, hosts.length - 1)
    try {
      if (begin > 0) await delay(begin)
      await pullByAgent(agent.url, REFERENCE, { signal, onEvent: event => { curve.add(event, now()) } })
      return { doneMs: now(), endMs: now(), curve }
    } catch (error) {
      const reason = role === 'killed' ? 'killed' : signal.aborted ? `not done within ${(now() / 1000).toFixed(1)} s` : String(error)
      return { error: reason, endMs: now(), curve }
    }
  }
  const victims = hosts.filter(({ role }) => role === 'killed')
  const killing = delay(KILL_AT * (boundMs ?? 0), undefined, { signal })
    .then(async () => Promise.all(victims.map(async ({ agent }) => agent.kill())))
    .catch(() => {})
  const pulls = hosts.map(pull)
  await Promise.all(hosts.map(async ({ role }, turn) => isWaitedFor(role) && pulls[turn]))
  allDone.abort()
  await killing
  return Promise.all(pulls)
}

function isContent ({ method, path, status }: Awaited<ReturnType<DockerRegistry['requests']>>[number]): boolean {
  return method === 'GET' && status < 300 && /\/(blobs|manifests)\//.test(path)
}

/** Reads each blob of the image from the store, an OCI image layout. */
async function holds (dataDir: string, blobs: ReadonlyMap<Digest, number>): Promise<boolean> {
  for (const digest of blobs.keys()) {
    const [algorithm = '', hex = ''] = digest.split(':')
    const hash = createHash(algorithm)
    try {
      await pipeline(createReadStream(join(dataDir, 'blobs', algorithm, hex)), hash)
    } catch {
      return false
    }
    if (hash.digest('hex') !== hex) return false
  }
  return true
}
