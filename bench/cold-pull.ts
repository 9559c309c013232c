import { join } from 'node:path'
import { rm } from 'node:fs/promises'
import { AgentProcess } from '../scenarios/live/agent-process.ts'
import { runCommand } from '../scenarios/live/child-process.ts'
import { FullMemory } from './support/full-memory.ts'
import { residentBytes } from '../scenarios/live/process-usage.ts'
import { atMost, type Section } from './support/report.ts'
import { median, spread } from './support/samples.ts'
import { REGISTRY, REPOSITORY, type BenchStage } from './support/stage.ts'

const ROUNDS = 5
const MAX_RATIO = 1.15
const MAX_PEAK_MB = 300

/** (b) The image by skopeo, which only moves and hashes bytes: straight from the registry, and through a cold agent; in turns. */
export async function benchColdPull (stage: BenchStage): Promise<Section> {
  const straight: number[] = []
  const through: number[] = []
  const peaks: number[] = []
  const memory = await FullMemory.in(stage.dir)
  for (let round = 0; round < ROUNDS; round++) {
    await memory.topUp()
    straight.push(await copy(stage, `${stage.registry.host}:${stage.registry.port}/${REPOSITORY}:warm`))
    const agent = await AgentProcess.start({ origins: { [REGISTRY]: stage.registry.url } })
    try {
      await memory.topUp()
      through.push(await copy(stage, `${agent.endpoint}/${REGISTRY}/${REPOSITORY}:warm`))
      peaks.push((await residentBytes(agent.pid)).peak / 1e6)
    } finally {
      await agent.stop()
    }
  }
  await memory.close()
  const ratios = through.map((seconds, round) => seconds / (straight[round] ?? NaN))
  return {
    title: `(b) cold pull of a ${stage.blobBytes / 1024 ** 2} MiB image by skopeo, ${ROUNDS} rounds in turns`,
    rows: [
      { what: 'straight from the registry, s', value: spread(straight) },
      { what: 'through the agent, s', value: spread(through) },
      atMost('agent / registry', median(ratios), MAX_RATIO, spread(ratios)),
      atMost('RSS peak of the agent, MB', Math.max(...peaks), MAX_PEAK_MB, spread(peaks, 0))
    ]
  }
}

async function copy ({ dir }: BenchStage, source: string): Promise<number> {
  const target = join(dir, 'copy')
  const startedAt = performance.now()
  await runCommand('skopeo', ['copy', '--quiet', '--src-tls-verify=false', `docker://${source}`, `dir:${target}`], { timeoutMs: 120_000 })
  const seconds = (performance.now() - startedAt) / 1000
  await rm(target, { recursive: true })
  return seconds
}
