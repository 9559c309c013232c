import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client'
import type { EventHub, ShoalEvent } from '../src/events.ts'
import type { StoreUsage } from '../src/store/store.ts'

const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
const REQUEST_SECONDS = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60, 300]
const FETCH_SECONDS = [0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300]
const PROVIDE_SECONDS = [0.1, 0.5, 1, 5, 10, 30, 60]
/** Looks how late the event loop is: ten times as often, prom-client's own choice, woke an idle agent a hundred times a second. */
const LAG_INTERVAL_MS = 100

export interface MetricsComponents {
  events: EventHub
  usage: () => Promise<StoreUsage>
  /** Agents connected now. */
  peers: () => number
}

/** What the agent tells Prometheus. */
export interface Metrics {
  readonly registry: Registry
  readonly contentType: string
  /** `route` is the route's pattern, never the request's path: labels stay a closed set. */
  observeRequest (route: string, method: string, status: number, seconds: number): void
  countClientBytes (bytes: number): void
  /** The exposition, `contentType` says its format. */
  render (): Promise<string>
  /** Stops listening to events. */
  close (): void
}

/** Metrics in a registry of their own, fed by events; what the store and the network know is asked when rendered. */
export function createMetrics ({ events, usage, peers }: MetricsComponents): Metrics {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: LAG_INTERVAL_MS })
  addGauges(registry, usage, peers)
  const http = httpMetrics(registry)
  const served = labelled(new Counter({ name: 'shoal_served_bytes_total', help: 'Bytes sent to clients and to other agents', labelNames: ['to'], registers: [registry] }), 'to', ['client', 'peer'])
  const unsubscribe = events.subscribe(eventMetrics(registry, served))
  return {
    registry,
    contentType: registry.contentType,
    observeRequest: http,
    countClientBytes: bytes => { served.inc({ to: 'client' }, bytes) },
    render: async () => registry.metrics(),
    close: unsubscribe
  }
}

function addGauges (registry: Registry, usage: () => Promise<StoreUsage>, peers: () => number): void {
  const registers = [registry]
  const gauge = new Gauge({ name: 'shoal_peers', help: 'Agents connected now', registers, collect: () => { gauge.set(peers()) } })
  // The four are collected at the same time and share one question to the store. NaN: it could not answer.
  let asked: Promise<StoreUsage | undefined> | undefined
  const ask = async () => (asked ??= usage().catch(() => undefined).finally(() => { asked = undefined }))
  const storeGauge = (name: string, help: string, field: keyof StoreUsage) => {
    const gauge = new Gauge({ name, help, registers, collect: async () => { gauge.set((await ask())?.[field] ?? NaN) } })
  }
  storeGauge('shoal_store_blobs', 'Verified blobs and manifests', 'blobs')
  storeGauge('shoal_store_bytes', 'Bytes of verified content', 'bytes')
  storeGauge('shoal_store_partials', 'Blobs on their way in, or left half-way', 'partials')
  storeGauge('shoal_store_partial_bytes', 'Bytes of blobs not complete', 'partialBytes')
}

function httpMetrics (registry: Registry): Metrics['observeRequest'] {
  const labelNames = ['route', 'method', 'status']
  const requests = new Counter({ name: 'shoal_http_requests_total', help: 'HTTP requests answered', labelNames, registers: [registry] })
  const seconds = new Histogram({ name: 'shoal_http_request_duration_seconds', help: 'From request to the end of its answer', labelNames: ['route', 'method'], buckets: REQUEST_SECONDS, registers: [registry] })
  return (route, method, status, duration) => {
    const labels = { route, method: METHODS.has(method) ? method : 'other' }
    requests.inc({ ...labels, status: `${Math.trunc(status / 100)}xx` })
    seconds.observe(labels, duration)
  }
}

function eventMetrics (registry: Registry, served: Counter): (event: ShoalEvent) => void {
  const registers = [registry]
  const received = labelled(new Counter({ name: 'shoal_received_bytes_total', help: 'Bytes fetched, by source', labelNames: ['source'], registers }), 'source', ['origin', 'peer'])
  const fetches = labelled(new Counter({ name: 'shoal_fetches_total', help: 'Blob fetches ended, by result', labelNames: ['result'], registers }), 'result', ['completed', 'failed', 'abandoned'])
  const fetchSeconds = new Histogram({ name: 'shoal_fetch_duration_seconds', help: 'From the start of a fetch to the verified blob', buckets: FETCH_SECONDS, registers })
  const sourceFailures = labelled(new Counter({ name: 'shoal_source_failures_total', help: 'Sources given up in the middle of a fetch', labelNames: ['source'], registers }), 'source', ['origin', 'peer'])
  const mismatches = new Counter({ name: 'shoal_mismatches_total', help: 'Fetched blobs that did not match their digest', registers })
  const tags = labelled(new Counter({ name: 'shoal_tag_resolutions_total', help: 'Tags resolved; stale: from memory, the origin being out of reach', labelNames: ['state'], registers }), 'state', ['fresh', 'stale'])
  const bans = new Counter({ name: 'shoal_bans_total', help: 'Agents banned', registers })
  const provides = labelled(new Counter({ name: 'shoal_provides_total', help: 'Announcements to the DHT, by result', labelNames: ['result'], registers }), 'result', ['done', 'failed'])
  const provideSeconds = new Histogram({ name: 'shoal_provide_duration_seconds', help: 'One announcement to the DHT', buckets: PROVIDE_SECONDS, registers })
  const quarantined = new Counter({ name: 'shoal_quarantined_blobs_total', help: 'Stored blobs found damaged', registers })

  return event => {
    switch (event.type) {
      case 'fetch:received': received.inc({ source: kindOf(event.source) }, event.bytes); break
      case 'fetch:completed':
        fetches.inc({ result: 'completed' })
        fetchSeconds.observe(event.durationMs / 1000)
        break
      case 'fetch:failed': fetches.inc({ result: 'failed' }); break
      case 'fetch:abandoned': fetches.inc({ result: 'abandoned' }); break
      case 'fetch:source-failed': sourceFailures.inc({ source: kindOf(event.source) }); break
      case 'fetch:mismatch': mismatches.inc(); break
      case 'tag:resolved': tags.inc({ state: event.stale ? 'stale' : 'fresh' }); break
      case 'peer:banned': bans.inc(); break
      case 'peer:served': served.inc({ to: 'peer' }, event.bytes); break
      case 'provide:done':
        provides.inc({ result: 'done' })
        provideSeconds.observe(event.durationMs / 1000)
        break
      case 'provide:failed': provides.inc({ result: 'failed' }); break
      case 'blob:quarantined': quarantined.inc(); break
      case 'blob:committed':
      case 'blob:removed':
      case 'fetch:started':
      case 'fetch:source':
      case 'peer:accused':
      case 'peer:connected':
      case 'peer:disconnected':
      case 'bootstrap:joined':
      case 'bootstrap:unreachable':
        break
    }
  }
}

function kindOf (source: string): 'origin' | 'peer' {
  return source === 'origin' ? 'origin' : 'peer'
}

/** Shows every label from the start: a rate over a series that appears with its first event misses that event. */
function labelled<T extends string> (counter: Counter<T>, label: T, values: readonly string[]): Counter<T> {
  for (const value of values) counter.inc({ [label]: value } as Record<T, string>, 0)
  return counter
}
