import { createServer, type Server } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { request } from 'undici'
import { digestOf } from '../src/oci/digest.ts'
import { AgentProcess } from '../scenarios/live/agent-process.ts'
import { pushBlob } from '../test/support/docker-registry.ts'
import { atMost, type Section } from './support/report.ts'
import { median, percentile, spread } from './support/samples.ts'
import { REGISTRY, REPOSITORY, type BenchStage } from './support/stage.ts'

const BLOBS = 40
const BLOB_BYTES = 4096
/** For the last blob to be committed. */
const COMMIT_MS = 1000
const SETTLE_MS = 100
const MAX_HIT_MS = 20
const MAX_MISS_MS = 50
const UNASKED = 'nobody.test'

/** What a hit next door adds to the first byte of a blob over a hit in the store, and how soon the origin is asked when there is no peer. */
export async function benchFirstByte (stage: BenchStage): Promise<Section> {
  const neighbour = await AgentProcess.start({ origins: { [REGISTRY]: stage.registry.url }, bootstrap: [stage.agent.multiaddr] })
  try {
    await neighbour.connectedTo(stage.agent)
    const paths: string[] = []
    for (let blob = 0; blob < BLOBS; blob++) {
      const bytes = Buffer.alloc(BLOB_BYTES, `first byte ${blob}`)
      await pushBlob(stage.registry.url, REPOSITORY, digestOf(bytes), bytes)
      const path = `/v2/${REGISTRY}/${REPOSITORY}/blobs/${digestOf(bytes)}`
      await timeToBody(stage.agent.url + path)
      paths.push(path)
    }
    // its client has the bytes before the disk has them for good
    await delay(COMMIT_MS)
    const fromStore: number[] = []
    const fromPeer: number[] = []
    for (const path of paths) {
      fromStore.push(await timeToBody(stage.agent.url + path))
      fromPeer.push(await timeToBody(neighbour.url + path))
      // one hit at a time: this one is still being committed and announced
      await delay(SETTLE_MS)
    }
    const misses = await timeToOrigin()
    const added = fromPeer.map((ms, blob) => ms - (fromStore[blob] ?? NaN))
    return {
      title: `first byte of ${BLOBS} small blobs, ms`,
      rows: [
        { what: 'in the store', value: spread(fromStore, 1) },
        { what: 'with a connected peer', value: spread(fromPeer, 1) },
        atMost('added by a hit on a connected peer', percentile(added, 95), MAX_HIT_MS, `median ${median(added).toFixed(1)}, p95 ${percentile(added, 95).toFixed(1)}`),
        atMost('no peers: until the origin is asked', percentile(misses, 95), MAX_MISS_MS, `median ${median(misses).toFixed(1)}, p95 ${percentile(misses, 95).toFixed(1)}`)
      ]
    }
  } finally {
    await neighbour.stop()
  }
}

/** An origin that notes when it is asked, and an agent without peers that asks it. */
async function timeToOrigin (): Promise<number[]> {
  let askedAt = 0
  const origin: Server = createServer((_request, response) => {
    askedAt = performance.now()
    response.writeHead(404).end()
  })
  origin.listen(0, '127.0.0.1')
  await once(origin, 'listening')
  const agent = await AgentProcess.start({ origins: { [UNASKED]: `http://127.0.0.1:${(origin.address() as AddressInfo).port}` } })
  try {
    const waits: number[] = []
    for (let blob = 0; blob < BLOBS; blob++) {
      const startedAt = performance.now()
      const { statusCode, body } = await request(`${agent.url}/v2/${UNASKED}/some/app/blobs/${digestOf(Buffer.from(`miss ${blob}`))}`)
      await body.dump()
      if (statusCode !== 404) throw new Error(`expected 404, got ${statusCode}`)
      waits.push(askedAt - startedAt)
    }
    return waits
  } finally {
    await agent.stop()
    origin.close()
  }
}

async function timeToBody (url: string): Promise<number> {
  const startedAt = performance.now()
  const { statusCode, body } = await request(url)
  await body.arrayBuffer()
  if (statusCode !== 200) throw new Error(`${url}: ${statusCode}`)
  return performance.now() - startedAt
}
