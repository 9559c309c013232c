import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { sampleOf } from '../../src/swarm/sample.ts'
import type { PlannedHost } from '../plan.ts'
import { randomOf } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { agentArguments } from './agent-arguments.ts'
import { AgentProcess } from './agent-process.ts'
import { pullImages } from './image-pull.ts'
import { inTurns } from './in-turns.ts'
import { heldBy, IMAGE_NAME, REGISTRY, type LiveContent, type Selection } from './live-content.ts'
import { isLiar, type LiveHost } from './live-host.ts'
import type { Network } from './network.ts'
import { idle, linked, START_WIDTH } from './readiness.ts'
import { linkOf, type ShapingInit } from './scenario-network.ts'

/** Layers at a time of what is pulled before the run. */
const PARALLEL_LAYERS = 3

export interface LiveFleetInit {
  readonly scenario: Scenario
  readonly hosts: readonly PlannedHost[]
  readonly network: Network
  readonly registryUrl: string
  readonly content: LiveContent
  /** For the key of the swarm. */
  readonly dir: string
  readonly shaping: ShapingInit
  /** Script that runs in place of the agent on hosts that lie. */
  readonly faultyMain: string | undefined
  /** Takes each host as soon as its agent was started. */
  readonly keep: (host: LiveHost) => void
  readonly signal: AbortSignal
}

/** Starts an agent on each host, lets them become warm and hold what they are to hold, and waits until they are idle. */
export async function startFleet (init: LiveFleetInit): Promise<LiveHost[]> {
  const { scenario, content, signal } = init
  const swarmKey = scenario.agent.isKeyed ? await writeSwarmKey(init.dir) : undefined
  const planned = [...init.hosts.entries()]
  const hosts: LiveHost[] = []
  const start = async (index: number, host: PlannedHost): Promise<void> => {
    signal.throwIfAborted()
    hosts.push(await startHost(init, index, { host, swarmKey, known: hosts }))
  }
  const [first, ...others] = planned.filter(([, host]) => !isLiar(host))
  if (first !== undefined) await start(...first)
  await inTurns(others, START_WIDTH, async ([index, host]) => start(index, host))
  const agents = hosts.map(({ agent }) => agent)
  await linked(agents)
  for (const image of content.warmUps) await Promise.all(hosts.map(async host => pull(host, { images: [image], layers: image.layers }, signal)))
  // whoever lies would have been found out by the images before
  await inTurns(planned.filter(([, host]) => isLiar(host)), START_WIDTH, async ([index, host]) => start(index, host))
  await Promise.all(hosts.filter(({ planned }) => planned.held.size > 0 && !isLiar(planned)).map(async host => pull(host, heldBy(host.planned, content), signal)))
  signal.throwIfAborted()
  await idle(agents)
  return hosts
}

async function startHost ({ scenario, network, registryUrl, shaping, faultyMain, keep }: LiveFleetInit, index: number, { host, swarmKey, known }: { host: PlannedHost, swarmKey: string | undefined, known: readonly LiveHost[] }): Promise<LiveHost> {
  const place = network.hosts[index]
  if (place === undefined) throw new RangeError(`${host.name} has no place`)
  const neighbours = sampleOf(known, Math.max(1, scenario.discovery.neighbours), randomOf(scenario.seed, `neighbours ${host.name}`))
  const agent = await AgentProcess.launch({
    origins: { [REGISTRY]: registryUrl },
    bootstrap: neighbours.map(({ agent }) => agent.multiaddr),
    runner: place.runner,
    httpHost: place.controlHost,
    p2pHost: place.host,
    args: agentArguments(scenario, host.group, { isShaped: network.isShapeable, swarmKey }),
    ...isLiar(host) && { main: faultyMain, env: { AGENT_FAULT: 'lying' } }
  })
  const live = { planned: host, place, link: linkOf(host.group, shaping), agent }
  keep(live)
  await agent.ready()
  return live
}

/** What comes before the run is neither looked at nor compared with anything. */
async function pull ({ agent }: LiveHost, { images, layers }: Selection, signal: AbortSignal): Promise<void> {
  await pullImages({ agentUrl: agent.url, name: IMAGE_NAME, images, layers, parallelLayers: PARALLEL_LAYERS, onWrong: () => {}, signal })
}

async function writeSwarmKey (dir: string): Promise<string> {
  const path = join(dir, 'swarm.key')
  await writeFile(path, `/key/swarm/psk/1.0.0/\n/base16/\n${randomBytes(32).toString('hex')}\n`)
  return path
}
