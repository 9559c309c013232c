import { expect, it, onTestFinished } from 'vitest'
import { ByteCounters } from '../../agent/byte-counters.ts'
import { createMetrics } from '../../agent/metrics.ts'
import { EventHub } from '../../src/events.ts'
import { digestOf } from '../../src/oci/digest.ts'
import type { StoreUsage } from '../../src/store/store.ts'

const digest = digestOf(new Uint8Array())

function setUp (usage: () => Promise<StoreUsage> = async () => ({ blobs: 2, bytes: 30, partials: 1, partialBytes: 4 })) {
  const events = new EventHub()
  const metrics = createMetrics({ events, usage, peers: () => 7 })
  onTestFinished(() => { metrics.close() })
  return { events, metrics, lines: async () => (await metrics.render()).split('\n').filter(line => line.startsWith('shoal_')) }
}

it('bytes are counted by where they come from and go to', async () => {
  const { events, metrics, lines } = setUp()
  events.emit({ type: 'fetch:received', digest, source: 'origin', bytes: 5 })
  events.emit({ type: 'fetch:received', digest, source: 'peer:a', bytes: 6 })
  events.emit({ type: 'fetch:received', digest, source: 'peer:b', bytes: 1 })
  events.emit({ type: 'peer:served', digest, peer: 'a', bytes: 8 })
  metrics.countClientBytes(9)
  expect(await lines()).toEqual(expect.arrayContaining([
    'shoal_received_bytes_total{source="origin"} 5',
    'shoal_received_bytes_total{source="peer"} 7',
    'shoal_served_bytes_total{to="peer"} 8',
    'shoal_served_bytes_total{to="client"} 9'
  ]))
})

it('every series is there before its first event', async () => {
  expect(await setUp().lines()).toEqual(expect.arrayContaining([
    'shoal_received_bytes_total{source="peer"} 0',
    'shoal_served_bytes_total{to="client"} 0',
    'shoal_fetches_total{result="completed"} 0',
    'shoal_fetches_total{result="failed"} 0',
    'shoal_tag_resolutions_total{state="fresh"} 0',
    'shoal_tag_resolutions_total{state="stale"} 0',
    'shoal_provides_total{result="done"} 0',
    'shoal_bans_total 0'
  ]))
})

it('what ended is counted by its result', async () => {
  const { events, lines } = setUp()
  events.emit({ type: 'fetch:completed', digest, size: 1, durationMs: 70 })
  events.emit({ type: 'fetch:failed', digest, code: 'X', reason: '' })
  events.emit({ type: 'fetch:mismatch', digest, sources: [] })
  events.emit({ type: 'fetch:source-failed', digest, source: 'peer:a', at: 1, code: 'X', reason: '' })
  events.emit({ type: 'tag:resolved', repository: 'a', tag: 'b', digest, stale: true })
  events.emit({ type: 'peer:banned', peer: 'a', reason: '', untilMs: 0 })
  events.emit({ type: 'provide:done', digest, durationMs: 400 })
  events.emit({ type: 'provide:failed', digest, reason: '' })
  events.emit({ type: 'blob:quarantined', digest, reason: '' })
  expect(await lines()).toEqual(expect.arrayContaining([
    'shoal_fetches_total{result="completed"} 1',
    'shoal_fetches_total{result="failed"} 1',
    'shoal_fetch_duration_seconds_bucket{le="0.1"} 1',
    'shoal_mismatches_total 1',
    'shoal_source_failures_total{source="peer"} 1',
    'shoal_tag_resolutions_total{state="stale"} 1',
    'shoal_bans_total 1',
    'shoal_provides_total{result="done"} 1',
    'shoal_provides_total{result="failed"} 1',
    'shoal_provide_duration_seconds_bucket{le="0.5"} 1',
    'shoal_quarantined_blobs_total 1'
  ]))
})

it('the store and the network are asked when rendered, the store once', async () => {
  let asked = 0
  const { lines } = setUp(async () => ({ blobs: ++asked, bytes: 30, partials: 1, partialBytes: 4 }))
  await lines()
  expect(await lines()).toEqual(expect.arrayContaining(['shoal_store_blobs 2', 'shoal_store_bytes 30', 'shoal_store_partials 1', 'shoal_store_partial_bytes 4', 'shoal_peers 7']))
})

it('a store that can\'t answer takes only its own figures away', async () => {
  const { lines } = setUp(async () => { throw new Error('closed') })
  expect(await lines()).toEqual(expect.arrayContaining(['shoal_store_blobs Nan', 'shoal_peers 7']))
})

it('requests are counted by route, method and class of status, in a closed set of labels', async () => {
  const { metrics, lines } = setUp()
  metrics.observeRequest('/v2/*', 'GET', 206, 0.02)
  metrics.observeRequest('/v2/*', 'BREW', 405, 0.02)
  expect(await lines()).toEqual(expect.arrayContaining([
    'shoal_http_requests_total{route="/v2/*",method="GET",status="2xx"} 1',
    'shoal_http_requests_total{route="/v2/*",method="other",status="4xx"} 1',
    'shoal_http_request_duration_seconds_bucket{le="0.05",route="/v2/*",method="GET"} 1'
  ]))
})

it('two agents in one process keep their figures apart, and the process\'s own are there', async () => {
  const [a, b] = [setUp(), setUp()]
  a.metrics.countClientBytes(3)
  expect(await b.lines()).toContain('shoal_served_bytes_total{to="client"} 0')
  expect(await b.metrics.render()).toContain('process_cpu_seconds_total')
})

it('totals for the status page follow the same events', () => {
  const events = new EventHub()
  const counters = new ByteCounters({ events })
  events.emit({ type: 'fetch:received', digest, source: 'origin', bytes: 5 })
  events.emit({ type: 'fetch:received', digest, source: 'peer:a', bytes: 6 })
  events.emit({ type: 'peer:served', digest, peer: 'a', bytes: 8 })
  counters.addToClients(9)
  counters.addFromStore(4)
  expect(counters.totals).toEqual({ fromPeers: 6, fromOrigin: 5, fromStore: 4, toPeers: 8, toClients: 9 })
  counters.close()
  events.emit({ type: 'peer:served', digest, peer: 'a', bytes: 8 })
  expect(counters.totals.toPeers).toBe(8)
})
