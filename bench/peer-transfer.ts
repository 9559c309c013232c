import { fork } from 'node:child_process'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AgentProcess } from '../scenarios/live/agent-process.ts'
import { pullByAgent } from './support/agent-pull.ts'
import { makeCertificate } from './support/certificate.ts'
import { FullMemory } from './support/full-memory.ts'
import { residentBytes, totalCpuSeconds } from '../scenarios/live/process-usage.ts'
import { atLeast, atMost, type Section } from './support/report.ts'
import { median, spread } from './support/samples.ts'
import { REGISTRY, REPOSITORY, type BenchStage } from './support/stage.ts'
import type { ReceiveOrder, ReceiveResult } from './support/tls-receiver.ts'

const ROUNDS = 3
const MIN_PACE_RATIO = 0.75
const MAX_CPU_RATIO = 1.5

interface Sample {
  readonly seconds: number
  /** Of both ends together. */
  readonly cpu: number
  readonly peakBytes: number
}

/** (c) A blob from one agent to another, from the request to the committed blob, against a raw TLS socket; in turns. */
export async function benchPeerTransfer (stage: BenchStage, rounds = ROUNDS): Promise<Section> {
  const gigabytes = stage.image.layerBytes / 1e9
  const raw: Sample[] = []
  const swarm: Sample[] = []
  const memory = await FullMemory.in(stage.dir)
  for (let round = 0; round < rounds; round++) {
    raw.push(await rawTls(stage, memory))
    swarm.push(await agentToAgent(stage, memory))
  }
  await memory.close()
  const describe = (samples: readonly Sample[]): string =>
    `${spread(samples.map(one => gigabytes * 1000 / one.seconds), 0)} MB/s, ${spread(samples.map(one => one.cpu / gigabytes))} CPU s/GB of both ends`
  const ratios = swarm.map(({ seconds }, round) => (raw[round]?.seconds ?? NaN) / seconds)
  const cpuRatio = median(swarm.map(one => one.cpu)) / median(raw.map(one => one.cpu))
  return {
    title: `(c) one agent to another, ${stage.blobBytes / 1024 ** 2} MiB, request to committed blob, ${rounds} rounds in turns`,
    rows: [
      { what: 'raw node:tls, hashed and written', value: describe(raw) },
      { what: 'agent to agent', value: describe(swarm) },
      atLeast('pace, agents / raw', median(ratios), MIN_PACE_RATIO, spread(ratios)),
      atMost('CPU s/GB of both ends, agents / raw', cpuRatio, MAX_CPU_RATIO, cpuRatio.toFixed(2)),
      { what: 'RSS peak of the receiving agent, MB', value: spread(swarm.map(one => one.peakBytes / 1e6), 0) }
    ]
  }
}

async function agentToAgent (stage: BenchStage, memory: FullMemory): Promise<Sample> {
  const receiver = await AgentProcess.start({ origins: { [REGISTRY]: stage.registry.url }, bootstrap: [stage.agent.multiaddr] })
  try {
    await receiver.connectedTo(stage.agent)
    // an agent takes longer to start than the raw ends: what was freed before them has gone back to the hypervisor meanwhile
    await memory.topUp()
    const pids = [stage.agent.pid, receiver.pid]
    const before = await totalCpuSeconds(pids)
    const startedAt = performance.now()
    const done = await pullByAgent(receiver.url, `${REGISTRY}/${REPOSITORY}:warm`)
    const seconds = (performance.now() - startedAt) / 1000
    if (done.type === 'done' && done.fromOrigin > 0) throw new Error(`${done.fromOrigin} bytes came from the origin`)
    return { seconds, cpu: await totalCpuSeconds(pids) - before, peakBytes: (await residentBytes(receiver.pid)).peak }
  } finally {
    await receiver.stop()
  }
}

async function rawTls ({ dir, image }: BenchStage, memory: FullMemory): Promise<Sample> {
  const { key, cert } = await makeCertificate(dir)
  const sender = fork(join(import.meta.dirname, 'support/tls-sender.ts'))
  const receiver = fork(join(import.meta.dirname, 'support/tls-receiver.ts'))
  const path = join(dir, 'received')
  try {
    sender.send({ key, cert, path: image.layerFile })
    const [{ port }] = await once(sender, 'message') as [{ port: number }]
    await memory.topUp()
    const pids = [sender.pid ?? 0, receiver.pid ?? 0]
    const before = await totalCpuSeconds(pids)
    receiver.send({ port, ca: cert, path, bytes: image.layerBytes } satisfies ReceiveOrder)
    const [result] = await once(receiver, 'message') as [ReceiveResult]
    if (result.error !== undefined || image.layer !== `sha256:${result.digest}`) throw new Error(`raw transfer: ${result.error ?? 'wrong bytes'}`)
    return { seconds: result.seconds, cpu: await totalCpuSeconds(pids) - before, peakBytes: (await residentBytes(receiver.pid ?? 0)).peak }
  } finally {
    sender.kill()
    receiver.kill()
    await rm(path, { force: true })
  }
}
