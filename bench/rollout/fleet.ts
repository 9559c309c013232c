import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { AgentProcess } from '../../scenarios/live/agent-process.ts'
import { inTurns } from '../../scenarios/live/in-turns.ts'
import { pullByAgent } from '../support/agent-pull.ts'
import type { Network } from '../../scenarios/live/network.ts'
import { idle, linked, neighbourCounts, START_WIDTH } from '../../scenarios/live/readiness.ts'
import { rolesOf, type Role, type Scenario } from './scenario.ts'
import { REGISTRY } from './stage.ts'

/** A host of the rollout. */
export interface Host {
  readonly index: number
  readonly role: Role
  readonly agent: AgentProcess
}

export interface FleetInit {
  readonly scenario: Scenario
  readonly network: Network
  readonly registryUrl: string
  /** How many of the first hosts that run our agent the others are told of; 0: each is alone. */
  readonly bootstrapHosts: number
  /** Other images that all pull first, each at once, one after the other. */
  readonly warmUps: readonly string[]
  /** How they pull them. @default the agent is told to */
  readonly pull?: (host: Host, reference: string) => Promise<void>
  /** After that, before anything is measured. */
  readonly settleMs: number
  /** Further arguments of each agent. */
  readonly agentArgs: readonly string[]
  /** Where the logs of the agents go. */
  readonly logDir?: string
  /** Script that runs in place of the agent on stalling and lying hosts; without one these hosts are healthy. */
  readonly faultyMain?: string
}

/** The agents of one run, each knowing its neighbours. */
export class Fleet {
  readonly hosts: readonly Host[]
  /** Connected agents of each host, as it was when the rollout began; ascending. */
  readonly neighbours: readonly number[]
  readonly #logDir: string | undefined

  private constructor (hosts: readonly Host[], neighbours: readonly number[], logDir: string | undefined) {
    this.hosts = hosts
    this.neighbours = neighbours
    this.#logDir = logDir
  }

  static async start (init: FleetInit): Promise<Fleet> {
    const hosts: Host[] = []
    try {
      const roles = rolesOf(init.scenario)
      const planned = [...(init.faultyMain === undefined ? roles.map(role => isReal(role) ? role : 'healthy') : roles).entries()]
      const real = planned.filter(([, role]) => isReal(role))
      const known = real.slice(0, init.bootstrapHosts)
      for (const [index, role] of known) hosts.push(await startHost(init, index, role, hosts))
      const bootstrap = [...hosts]
      const startAll = async (some: typeof planned): Promise<void> => {
        await inTurns(some, START_WIDTH, async ([index, role]) => { hosts.push(await startHost(init, index, role, bootstrap)) })
        if (known.length > 0) await linked(hosts.map(({ agent }) => agent))
      }
      await startAll(real.slice(known.length))
      // Agents that have just been started compile their code while they are measured: all at once, on few processors.
      const { pull = async ({ agent }, reference) => { await pullByAgent(agent.url, reference) } } = init
      for (const reference of init.warmUps) await Promise.all(hosts.map(async host => pull(host, reference)))
      // Whoever lies or stalls would have been found out by now.
      await startAll(planned.filter(([, role]) => !isReal(role)))
      hosts.sort((a, b) => a.index - b.index)
      await delay(init.settleMs)
      const agents = hosts.map(({ agent }) => agent)
      await idle(agents)
      return new Fleet(hosts, (await neighbourCounts(agents)).sort((a, b) => a - b), init.logDir)
    } catch (error) {
      await keepLogs(hosts, init.logDir)
      await stopAll(hosts)
      throw error
    }
  }

  async keepLogs (): Promise<void> {
    await keepLogs(this.hosts, this.#logDir)
  }

  async stop (): Promise<void> {
    await stopAll(this.hosts)
  }
}

/** Writes what each agent has printed to `DIR/host-<index>.log`. */
async function keepLogs (hosts: readonly Host[], dir: string | undefined): Promise<void> {
  if (dir === undefined) return
  await mkdir(dir, { recursive: true })
  for (const { index, agent } of hosts) await writeFile(join(dir, `host-${index}.log`), agent.log())
}

async function stopAll (hosts: readonly Host[]): Promise<void> {
  await Promise.all(hosts.map(async ({ agent }) => {
    // Nothing of theirs is needed any more, and an end by SIGTERM takes its time.
    await agent.kill()
    await agent.stop()
  }))
}

async function startHost ({ scenario, network, registryUrl, agentArgs, faultyMain }: FleetInit, index: number, role: Role, bootstrap: readonly Host[]): Promise<Host> {
  const place = network.hosts[index]
  if (place === undefined) throw new RangeError(`host ${index} of ${scenario.hosts} has no place`)
  const agent = await AgentProcess.start({
    origins: { [REGISTRY]: registryUrl },
    bootstrap: bootstrap.map(host => host.agent.multiaddr),
    runner: place.runner,
    httpHost: place.controlHost,
    p2pHost: place.host,
    args: agentArgs,
    ...(!isReal(role) && { main: faultyMain, env: { AGENT_FAULT: role } })
  })
  return { index, role, agent }
}

/** Runs our agent, not a script in its place. */
function isReal (role: Role): boolean {
  return role !== 'stalling' && role !== 'lying'
}
