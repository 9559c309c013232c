import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { runCommand } from '../../scenarios/live/child-process.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { totalCpuSeconds } from '../../scenarios/live/process-usage.ts'
import { atMost, type Section } from '../support/report.ts'
import { median, spread } from '../support/samples.ts'
import { Fleet, type FleetInit, type Host } from './fleet.ts'
import { SMALL } from './scenario.ts'
import { REFERENCE, setRolloutStage } from './stage.ts'

const MAX_ADDED_SECONDS = 0.15

export interface SmallInit {
  readonly rounds: number
  readonly isPrivate: boolean
  readonly warmUps: number
  readonly fleet: Pick<FleetInit, 'bootstrapHosts' | 'settleMs' | 'agentArgs'>
}

/**
 * A small image on few hosts at once by skopeo, which only moves and hashes bytes: straight from the registry, through agents that
 * lack it, and through agents that know nobody, which shows what an agent in the way costs without any swarm; in turns. Agents
 * have given other images to skopeo before.
 */
export async function compareSmall ({ rounds, isPrivate, warmUps, fleet: fleetInit }: SmallInit): Promise<Section> {
  const straight: number[] = []
  const through: number[] = []
  const cpu: number[] = []
  const alone: number[] = []
  const aloneCpu: number[] = []
  const dir = await makeTempDir('small')
  const stage = await setRolloutStage(SMALL, { isPrivate, warmUps })
  const copy = async (index: number, source: string): Promise<void> => {
    const [command = '', ...args] = [...(stage.network.hosts[index]?.runner ?? []), 'skopeo', 'copy', '--quiet', '--src-tls-verify=false', `docker://${source}`, `dir:${join(dir, String(index))}`]
    await runCommand(command, args)
  }
  const remove = async (index: number): Promise<void> => { await rm(join(dir, String(index)), { recursive: true }) }
  const copyAll = async (sources: readonly string[]): Promise<number> => {
    await stage.memory.topUp()
    const startedAt = performance.now()
    await Promise.all(sources.map(async (source, index) => copy(index, source)))
    const seconds = (performance.now() - startedAt) / 1000
    await Promise.all(sources.map(async (_, index) => remove(index)))
    return seconds
  }
  const copyThroughAgents = async (init: SmallInit['fleet'], seconds: number[], cpuSeconds: number[]): Promise<void> => {
    const pull = async ({ index, agent }: Host, reference: string): Promise<void> => {
      await copy(index, `${agent.endpoint}/${reference}`)
      await remove(index)
    }
    const fleet = await Fleet.start({ ...init, pull, scenario: SMALL, warmUps: stage.warmUps, network: stage.network, registryUrl: stage.registry.url })
    try {
      const pids = fleet.hosts.map(({ agent }) => agent.pid)
      const before = await totalCpuSeconds(pids)
      seconds.push(await copyAll(fleet.hosts.map(({ agent }) => `${agent.endpoint}/${REFERENCE}`)))
      cpuSeconds.push(await totalCpuSeconds(pids) - before)
    } finally {
      await fleet.stop()
    }
  }
  try {
    for (let round = 0; round < rounds; round++) {
      straight.push(await copyAll(Array.from({ length: SMALL.hosts }, () => stage.straightReference)))
      await copyThroughAgents(fleetInit, through, cpu)
      await copyThroughAgents({ ...fleetInit, bootstrapHosts: 0 }, alone, aloneCpu)
    }
  } finally {
    await stage.close()
    await removeTempDir(dir)
  }
  const addedBy = (those: readonly number[]): number[] => those.map((seconds, round) => seconds - (straight[round] ?? NaN))
  const added = addedBy(through)
  return {
    title: `small: ${SMALL.imageBytes / 1e6} MB on ${SMALL.hosts} hosts at once by skopeo, nothing shaped, ${rounds} rounds in turns; until the last is done`,
    rows: [
      { what: 'straight from the registry, s', value: spread(straight) },
      { what: 'through agents that lack it, s', value: spread(through) },
      { what: 'CPU s of all agents together', value: spread(cpu) },
      atMost('added, s', median(added), MAX_ADDED_SECONDS, spread(added, 3)),
      { what: 'through agents that know nobody: added, s', value: spread(addedBy(alone), 3) },
      { what: 'CPU s of all of those together', value: spread(aloneCpu) }
    ]
  }
}
