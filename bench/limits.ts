import { setTimeout as sleep } from 'node:timers/promises'
import { AgentProcess } from '../scenarios/live/agent-process.ts'
import { pullByAgent } from './support/agent-pull.ts'
import { pushLayeredImage } from './support/big-image.ts'
import { atMost, type Row, type Section } from './support/report.ts'
import { SocketCounter, type SocketBytes } from './support/socket-bytes.ts'
import { REGISTRY, REPOSITORY, type BenchStage } from './support/stage.ts'

const MB = 1_000_000
const WINDOW_MS = 5_000
const RUN_MS = 11_000
const SAMPLE_MS = 100
/** The start, before all has settled. */
const SKIP_MS = 1_000
const MAX_DEVIATION = 0.05
/** An image in pieces of 128 KiB: of layers that are no larger than 128 of them. */
const SMALL_PIECES = 'small-pieces'
const SMALL_PIECES_LAYERS = Array.from({ length: 32 }, () => 15.5 * 1024 * 1024)
/** The stage's image, in pieces of 2 MiB where it is larger than 128 MiB. */
const LARGE_PIECES = 'warm'

interface Sample extends SocketBytes {
  readonly atMs: number
}

interface Case {
  readonly what: string
  readonly rate: number
  readonly image: string
  /** Who gives; nobody: the registry. */
  readonly from?: readonly AgentProcess[]
  readonly isOverLibp2p?: boolean
  /** Of the one that takes. */
  readonly args?: readonly string[]
}

/** (f) How closely the limits are kept over five seconds: what is read from all sockets, every 100 ms. */
export async function benchLimits (stage: BenchStage): Promise<Section> {
  await using givers = new AsyncDisposableStack()
  const origins = { [REGISTRY]: stage.registry.url }
  await pushLayeredImage(stage.registry.url, REPOSITORY, SMALL_PIECES, stage.dir, SMALL_PIECES_LAYERS)
  await pullByAgent(stage.agent.url, `${REGISTRY}/${REPOSITORY}:${SMALL_PIECES}`)
  const give = async (images: readonly string[], args: readonly string[] = []): Promise<AgentProcess> => {
    const giver = givers.adopt(await AgentProcess.start({ origins, args }), async agent => { await agent.stop() })
    for (const image of images) await pullByAgent(giver.url, `${REGISTRY}/${REPOSITORY}:${image}`)
    return giver
  }
  const { agent } = stage
  const other = await give([LARGE_PIECES])
  const withoutLane = await give([LARGE_PIECES, SMALL_PIECES], ['--direct', 'off'])
  const rows: Row[] = []
  for (const rate of [40 * MB, 5 * MB, MB]) {
    const giver = await give([LARGE_PIECES], ['--upload-limit', textOf(rate)])
    rows.push(await row({ what: 'upload, pieces of 2 MiB', rate, image: LARGE_PIECES, from: [giver] }, origins))
    await giver.stop()
  }
  const downloads: Array<Omit<Case, 'args'>> = [
    ...[40 * MB, 5 * MB, MB].map(rate => ({ what: 'download from the registry', rate, image: LARGE_PIECES })),
    ...[40 * MB, MB].map(rate => ({ what: 'download from a member, pieces of 128 KiB', rate, image: SMALL_PIECES, from: [agent] })),
    ...[40 * MB, 5 * MB, MB].map(rate => ({ what: 'download from a member, pieces of 2 MiB', rate, image: LARGE_PIECES, from: [agent] })),
    { what: 'download over libp2p, pieces of 128 KiB', rate: 40 * MB, image: SMALL_PIECES, from: [withoutLane], isOverLibp2p: true },
    ...[40 * MB, 5 * MB, MB].map(rate => ({ what: 'download over libp2p, pieces of 2 MiB', rate, image: LARGE_PIECES, from: [withoutLane], isOverLibp2p: true })),
    ...[40 * MB, 5 * MB].map(rate => ({ what: 'download from two members, pieces of 2 MiB', rate, image: LARGE_PIECES, from: [agent, other] }))
  ]
  for (const download of downloads) rows.push(await row({ ...download, args: ['--download-limit', textOf(download.rate)] }, origins))
  return { title: `(f) limits, over any ${WINDOW_MS / 1000} s of ${RUN_MS / 1000}`, rows }
}

async function row ({ what, rate, image, from = [], isOverLibp2p = false, args = [] }: Case, origins: Readonly<Record<string, string>>): Promise<Row> {
  const isFromMembers = from.length > 0
  const taker = await AgentProcess.start({ origins, bootstrap: from.map(({ multiaddr }) => multiaddr), args: [...args, ...isFromMembers ? ['--origin-policy', 'never'] : [], ...isOverLibp2p ? ['--direct', 'off'] : []] })
  try {
    await taker.connectedTo(...from)
    const counter = new SocketCounter(taker.pid)
    const pulling = pullByAgent(taker.url, `${REGISTRY}/${REPOSITORY}:${image}`).catch(() => {})
    const samples: Sample[] = []
    for (const startedAt = performance.now(); performance.now() - startedAt < RUN_MS; await sleep(SAMPLE_MS)) samples.push({ ...await counter.count(), atMs: performance.now() })
    await taker.stop()
    await pulling
    const read = ratios(samples, rate, ({ read }) => read)
    const received = ratios(samples, rate, ({ received }) => received)
    const deviation = Math.max(...read.map(ratio => Math.abs(ratio - 1)))
    return atMost(`${textOf(rate)} ${what}`, deviation, MAX_DEVIATION, `${rangeOf(read)} of it, with what waits in the kernel ${rangeOf(received)}`)
  } finally {
    await taker.stop()
  }
}

/** What came in each window, as a part of what may. */
function ratios (samples: readonly Sample[], rate: number, count: (sample: Sample) => number): number[] {
  const first = (samples[0]?.atMs ?? 0) + SKIP_MS
  return samples.flatMap(from => {
    const to = samples.find(({ atMs }) => atMs >= from.atMs + WINDOW_MS)
    if (from.atMs < first || to === undefined) return []
    return [(count(to) - count(from)) / ((to.atMs - from.atMs) / 1000 * rate)]
  })
}

function rangeOf (ratios: readonly number[]): string {
  return `${Math.min(...ratios).toFixed(3)} to ${Math.max(...ratios).toFixed(3)}`
}

function textOf (rate: number): string {
  return `${rate / MB}MB/s`
}
