import type { BenchStage } from './support/stage.ts'
import { cpuSeconds } from '../scenarios/live/process-usage.ts'
import { atLeast, atMost, type Row, type Section } from './support/report.ts'
import { median, spread } from './support/samples.ts'

const ROUNDS = 7

interface Sample {
  readonly megabytesPerSecond: number
  readonly cpuSecondsPerGigabyte: number
}

/** (a) The same blob from the warm agent and from docker-registry, in turns. */
export async function benchWarmRead (stage: BenchStage): Promise<Section> {
  const rows: Row[] = []
  for (const parallel of [1, 3]) {
    const agent: Sample[] = []
    const registry: Sample[] = []
    await sample(stage, stage.agent.pid, stage.agentBlobUrl, parallel)
    await sample(stage, stage.registryPid, stage.registryBlobUrl, parallel)
    for (let round = 0; round < ROUNDS; round++) {
      registry.push(await sample(stage, stage.registryPid, stage.registryBlobUrl, parallel))
      agent.push(await sample(stage, stage.agent.pid, stage.agentBlobUrl, parallel))
    }
    const readers = `${parallel} reader${parallel === 1 ? '' : 's'}`
    const paceRatios = agent.map(({ megabytesPerSecond }, round) => megabytesPerSecond / (registry[round]?.megabytesPerSecond ?? NaN))
    const cpuRatio = median(agent.map(one => one.cpuSecondsPerGigabyte)) / median(registry.map(one => one.cpuSecondsPerGigabyte))
    rows.push(
      { what: `${readers}: registry MB/s, CPU s/GB`, value: describe(registry) },
      { what: `${readers}: agent MB/s, CPU s/GB`, value: describe(agent) },
      atLeast(`${readers}: pace, agent / registry`, median(paceRatios), 0.9, spread(paceRatios)),
      atMost(`${readers}: CPU s/GB, agent / registry`, cpuRatio, 1.3, cpuRatio.toFixed(2))
    )
  }
  return { title: `(a) warm GET of a ${stage.blobBytes / 1024 ** 2} MiB blob, ${ROUNDS} rounds in turns`, rows }
}

async function sample ({ reader }: BenchStage, pid: number, url: string, parallel: number): Promise<Sample> {
  const cpuBefore = await cpuSeconds(pid)
  const { bytes, seconds } = await reader.read({ url, parallel })
  const cpu = await cpuSeconds(pid) - cpuBefore
  return { megabytesPerSecond: bytes / 1e6 / seconds, cpuSecondsPerGigabyte: cpu / (bytes / 1e9) }
}

function describe (samples: readonly Sample[]): string {
  return `${spread(samples.map(one => one.megabytesPerSecond), 0)}, ${spread(samples.map(one => one.cpuSecondsPerGigabyte))}`
}
