import { setTimeout as sleep } from 'node:timers/promises'
import { AgentProcess } from '../test/support/agent-process.ts'
import { pullByAgent } from './support/agent-pull.ts'
import { atMost, type Row, type Section } from './support/report.ts'
import { REGISTRY, REPOSITORY, type BenchStage } from './support/stage.ts'

const BYTES_PER_SECOND = 40_000_000
const RATE = '40MB/s'
const WINDOW_MS = 5_000
const RUN_MS = 11_000
const SAMPLE_MS = 50
/** The start, before all has settled. */
const SKIP_MS = 1_000
const MAX_DEVIATION = 0.05

interface Sample {
  readonly atMs: number
  readonly bytes: number
}

/** (f) How closely the limits are kept over five seconds. Bytes are told in steps of 1 MiB, of pieces of 4 MiB: up to 2 % of a window. */
export async function benchLimits (stage: BenchStage): Promise<Section> {
  const origins = { [REGISTRY]: stage.registry.url }
  const bootstrap = [stage.agent.multiaddr]
  const giver = await AgentProcess.start({ origins, args: ['--upload-limit', RATE] })
  try {
    await pullByAgent(giver.url, `${REGISTRY}/${REPOSITORY}:warm`)
    return {
      title: `(f) limits of ${RATE}, over any ${WINDOW_MS / 1000} s of ${RUN_MS / 1000}`,
      rows: [
        await row('upload to another agent', { origins, bootstrap: [giver.multiaddr] }, async () => (await giver.status()).bytes.toPeers),
        await row('download from the registry', { origins, args: ['--download-limit', RATE] }, async taker => (await taker.status()).bytes.fromOrigin),
        await row('download from another agent', { origins, bootstrap, args: ['--download-limit', RATE] }, async taker => (await taker.status()).bytes.fromPeers)
      ]
    }
  } finally {
    await giver.stop()
  }
}

async function row (what: string, init: Parameters<typeof AgentProcess.start>[0], count: (taker: AgentProcess) => Promise<number>): Promise<Row> {
  const taker = await AgentProcess.start(init)
  try {
    if (init?.bootstrap !== undefined) await sleep(1_000)
    const pulling = pullByAgent(taker.url, `${REGISTRY}/${REPOSITORY}:warm`).catch(() => {})
    const samples: Sample[] = []
    for (const startedAt = performance.now(); performance.now() - startedAt < RUN_MS; await sleep(SAMPLE_MS)) samples.push({ bytes: await count(taker), atMs: performance.now() })
    await taker.stop()
    await pulling
    const ratios = windows(samples)
    const deviation = Math.max(...ratios.map(ratio => Math.abs(ratio - 1)))
    return atMost(what, deviation, MAX_DEVIATION, `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)} of it`)
  } finally {
    await taker.stop()
  }
}

/** What came in each window, as a part of what may. */
function windows (samples: readonly Sample[]): number[] {
  const first = (samples[0]?.atMs ?? 0) + SKIP_MS
  return samples.flatMap(from => {
    const to = samples.find(({ atMs }) => atMs >= from.atMs + WINDOW_MS)
    if (from.atMs < first || to === undefined) return []
    return [(to.bytes - from.bytes) / ((to.atMs - from.atMs) / 1000 * BYTES_PER_SECOND)]
  })
}
