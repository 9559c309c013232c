import { Client } from 'undici'
import { MANIFEST_ACCEPT } from '../src/oci/media-types.ts'
import type { BenchStage } from './support/stage.ts'
import { atMost, type Section } from './support/report.ts'
import { percentile } from './support/samples.ts'

const REQUESTS = 2000
const WARM_UP = 200
const MAX_P99_MS = 10

/** (d) A warm manifest by tag, one request after another on one connection. */
export async function benchManifestLatency (stage: BenchStage): Promise<Section> {
  const agent = await measure(stage.agent.url, stage.agentManifestPath)
  const registry = await measure(stage.registry.url, stage.registryManifestPath)
  const text = (latencies: readonly number[]): string => `p50 ${percentile(latencies, 50).toFixed(2)} ms, p99 ${percentile(latencies, 99).toFixed(2)} ms`
  return {
    title: `(d) manifest by tag, warm, ${REQUESTS} requests`,
    rows: [
      { what: 'registry', value: text(registry) },
      atMost('agent', percentile(agent, 99), MAX_P99_MS, text(agent))
    ]
  }
}

async function measure (url: string, path: string): Promise<number[]> {
  const client = new Client(url)
  const latencies: number[] = []
  try {
    for (let request = -WARM_UP; request < REQUESTS; request++) {
      const startedAt = performance.now()
      const { statusCode, body } = await client.request({ method: 'GET', path, headers: { accept: MANIFEST_ACCEPT } })
      await body.arrayBuffer()
      if (statusCode !== 200) throw new Error(`${url}${path}: ${statusCode}`)
      if (request >= 0) latencies.push(performance.now() - startedAt)
    }
    return latencies
  } finally {
    await client.close()
  }
}
