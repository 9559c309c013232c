import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { createHttpServer, type HttpComponents, type HttpInit } from '../../../agent/http/server.ts'
import { EventHub, type ShoalEvent } from '../../../src/events.ts'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts'
import { Puller } from '../../../src/pull/puller.ts'
import { pullImage } from '../../../src/pull/images.ts'
import { MemoryNetwork, MemoryRouter } from '../../../src/routing/memory.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'
import type { Store } from '../../../src/store/store.ts'
import { PeerScore } from '../../../src/swarm/peer-score.ts'
import { MemoryOrigin, type OriginRequest } from '../../support/memory-origin.ts'
import { MemoryPeers } from '../../support/memory-peers.ts'

/** Where the tests' content lies, and how a client says so in a path. */
export const REPOSITORY = { registry: 'reg.test', name: 'team/app' } as const
export const NAME = 'reg.test/team/app'

const GRACE_MS = 5

export interface TestAgentInit {
  /** @default a memory store */
  readonly store?: (events: EventHub) => Store
  readonly components?: Partial<HttpComponents>
  readonly init?: Partial<HttpInit>
}

/** The agent's HTTP server over the real puller; store, origin and peers are those in memory. */
export interface TestAgent {
  readonly app: FastifyInstance
  readonly store: Store
  readonly origin: MemoryOrigin
  readonly peers: MemoryPeers
  readonly puller: Puller
  readonly score: PeerScore
  readonly hub: EventHub
  /** All that was told so far. */
  readonly events: ShoalEvent[]
  readonly served: Array<{ from: 'store' | 'fetch', bytes: number }>
  readonly defects: unknown[]
  readonly observed: Array<{ route: string, method: string, status: number }>
  /** Milliseconds since the epoch that the puller sees. */
  now: number
  /** Starts to listen, and returns the base URL. */
  listen (): Promise<string>
  close (): Promise<void>
}

export function createTestAgent ({ store: makeStore, components, init }: TestAgentInit = {}): TestAgent {
  const hub = new EventHub()
  const events: ShoalEvent[] = []
  hub.subscribe(event => { events.push(event) })
  const origin = new MemoryOrigin()
  const peers = new MemoryPeers()
  const store = makeStore?.(hub) ?? new MemoryStore({ events: hub })
  const score = new PeerScore()
  const router = new MemoryRouter({ network: new MemoryNetwork() }, { peer: 'self' })
  const served: TestAgent['served'] = []
  const defects: unknown[] = []
  const observed: TestAgent['observed'] = []
  const puller = new Puller({ store, origin, peers, router, score, events: hub, now: () => agent.now }, { graceMs: GRACE_MS })
  const app = createHttpServer({
    puller,
    onServed: entry => { served.push(entry) },
    onDefect: error => { defects.push(error) },
    observeRequest: (route, method, status) => { observed.push({ route, method, status }) },
    defaultRegistry: 'docker.io',
    notReady: () => [],
    status: async () => { throw new Error('no status here') },
    peers: async () => [],
    renderMetrics: async () => ({ contentType: 'text/plain', body: '' }),
    pull: async (reference, platform, onEvent, signal) => {
      const repository = { registry: reference.registry, name: reference.repository }
      await pullImage({ puller, events: hub, now: () => agent.now }, { reference, repository, platform, onEvent }, { signal })
    },
    ...components
  }, { defaultRegistry: 'docker.io', allowedHosts: new Set(), ...init })
  const agent: TestAgent = {
    app,
    store,
    origin,
    peers,
    puller,
    score,
    hub,
    events,
    served,
    defects,
    observed,
    now: Date.now(),
    listen: async () => {
      await app.listen({ host: '127.0.0.1', port: 0 })
      return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    },
    close: async () => {
      app.server.closeAllConnections()
      await app.close()
      await puller.stop()
      await store.close()
    }
  }
  return agent
}

/** A manifest over an empty config, with these layers. */
export function manifestBytes (layers: ReadonlyArray<{ digest: Digest, size: number }>, facts: object = {}): Buffer {
  return Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: { mediaType: MEDIA_TYPES.ociConfig, digest: digestOf(CONFIG), size: CONFIG.length },
    layers: layers.map(({ digest, size }) => ({ mediaType: MEDIA_TYPES.ociLayerGzip, digest, size })),
    ...facts
  }))
}

/** The config that `manifestBytes` names. */
export const CONFIG = Buffer.from('{}')

/** Puts a blob into the agent's store. */
export async function storeBlob ({ store }: TestAgent, bytes: Uint8Array): Promise<Digest> {
  const digest = digestOf(bytes)
  await store.put(digest, bytes, { kind: 'blob', access: 'public' })
  return digest
}

/** What the origin was asked so far. */
export function asked ({ origin }: TestAgent): Array<OriginRequest['type']> {
  return origin.requests.map(({ type }) => type)
}
