import type { AddressInfo } from 'node:net'
import { EventHub } from '../src/events.ts'
import { ShoalError } from '../src/errors.ts'
import { Exchange } from '../src/exchange/exchange.ts'
import { LinkedContent } from '../src/exchange/linked-content.ts'
import { Intake } from '../src/exchange/intake.ts'
import { BucketPace } from '../src/exchange/pace.ts'
import type { SwarmNode } from '../src/net/node.ts'
import { FileCredentials, credentialFilePaths } from '../src/origin/credential-files.ts'
import { RegistryOrigin } from '../src/origin/registry-origin.ts'
import { DownloadBudget } from '../src/pull/download-budget.ts'
import { Publication } from '../src/pull/publication.ts'
import { Puller } from '../src/pull/puller.ts'
import { StoreShare } from '../src/pull/shared-content.ts'
import { mayShare, type SharingPolicy } from '../src/pull/sharing.ts'
import { pullImage } from '../src/pull/images.ts'
import { Announcer } from '../src/routing/announcer.ts'
import { DiskStore } from '../src/store/disk-store.ts'
import { PeerScore } from '../src/swarm/peer-score.ts'
import { TokenBucket } from '../src/swarm/token-bucket.ts'
import { ByteCounters } from './byte-counters.ts'
import type { Config } from './config/schema.ts'
import { createHttpServer } from './http/server.ts'
import { logEvents } from './log-events.ts'
import type { Logger } from './log.ts'
import { createMetrics } from './metrics.ts'
import { readRegistries } from './origin-registries.ts'
import { createStatusReport } from './status-report.ts'
import { startSwarmNode } from './swarm-start.ts'
import { readVersion } from './version.ts'

/** How long requests under way may take to end when the agent stops, in milliseconds. */
const STOP_GRACE_MS = 5000
/** How long new blobs wait for their announcement in the DHT: until a rollout is over, in which the processor has better to do. */
const ANNOUNCE_DELAY_MS = 5_000
/** One announcement at a time, in a quarter of the time: each is dozens of requests to others. */
const ANNOUNCE_REST = 3

/** A running agent. */
export interface Agent {
  /** `http`: URL of the endpoint; `p2p`: multiaddrs others can dial, empty when the swarm could not be joined. */
  addresses (): { http: string, p2p: string[] }
  /** Lets requests under way end for a short time, keeps what has come of the others. */
  stop (): Promise<void>
}

/** The HTTP listener cannot be had. */
class HttpListenError extends ShoalError {
  override readonly code = 'HTTP_LISTEN'
  readonly address: string

  constructor (address: string, options: ErrorOptions) {
    const cause = options.cause as NodeJS.ErrnoException
    const reason = cause.code === 'EADDRINUSE' ? 'another process listens there' : cause.code === 'EACCES' ? 'this user may not use that port' : cause.message
    super(`cannot listen on http ${address}: ${reason}; choose another with --http HOST:PORT`, options)
    this.address = address
  }
}

/**
 * Puts the agent's rooms together and starts them. Resolves when it serves: HTTP listens and the swarm is joined or
 * known to be out of reach.
 * @throws HttpListenError, OriginFileError, and what the store and the identity throw
 */
export async function startAgent (config: Config, { log }: { log: Logger }): Promise<Agent> {
  const startedAt = Date.now()
  const version = readVersion()
  const events = new EventHub()
  const cleanups: Array<() => Promise<void> | void> = [logEvents(events, log)]
  const cleanUp = async (): Promise<void> => {
    for (const cleanup of cleanups.splice(0).reverse()) {
      try {
        await cleanup()
      } catch (error) {
        log.error({ err: error }, 'stop')
      }
    }
  }
  try {
    return await assemble()
  } catch (error) {
    await cleanUp()
    throw error
  }

  async function assemble (): Promise<Agent> {
    const policy: SharingPolicy = { isKeyed: config.swarmKey !== undefined, sharePrivate: config.sharePrivate }
    const store = await DiskStore.open(config.data, { events })
    cleanups.push(async () => { await store.close() })
    const counters = new ByteCounters({ events })
    cleanups.push(() => { counters.close() })
    const score = new PeerScore({ banTimeMs: config.banTime })
    const origin = await openOrigin(config, log, version)
    cleanups.push(async () => { await origin.close() })
    const share = new StoreShare({ store }, policy)
    const pace = new BucketPace(new TokenBucket({ bytesPerSecond: config.uploadLimit }))
    const intake = config.downloadLimit === undefined ? undefined : new Intake(new TokenBucket({ bytesPerSecond: config.downloadLimit }))
    const node = await startSwarmNode(config, { events, log, share, pace, intake, agentVersion: `shoal/${version}` })
    cleanups.push(async () => { await node.stop() })
    const self = (): string => node.peerId
    const exchange = new Exchange({
      links: node.links,
      share,
      self,
      sign: pieces => node.sign(pieces),
      score,
      events,
      pace,
      onDamaged: digest => { puller.repair(digest).catch(() => {}) },
      now: Date.now
    }, {
      isKeyed: policy.isKeyed,
      trust: config.trust,
      isLeech: config.leech,
      zone: config.zone,
      uploadSlots: config.uploadSlots,
      maxMembers: config.maxMembers
    })
    cleanups.push(() => { exchange.stop() })
    const swarm = { exchange, self, budget: new DownloadBudget(Date.now, intake), originPolicy: config.originPolicy, mayShare: (access: 'public' | 'restricted') => mayShare(access, policy) }
    const puller = new Puller({ store, origin, peers: new LinkedContent({ exchange, content: node.content }), router: node.router, score, events, now: Date.now, swarm }, { tagTtlMs: config.tagTtl, originConcurrency: config.originConcurrency })
    cleanups.push(async () => { await puller.stop() })
    await publish(store, node, policy, () => puller.blobs.status().length > 0 || exchange.isNeeded)
    const metrics = createMetrics({ events, usage: async () => store.usage(), peers: () => node.connections().length })
    cleanups.push(() => { metrics.close() })
    const report = createStatusReport({ node, store, puller, score, counters, events }, { startedAt, version, isKeyed: policy.isKeyed })
    cleanups.push(() => { report.close() })
    let isReady = false
    const app = createHttpServer({
      puller,
      onServed: ({ from, bytes }) => {
        counters.addToClients(bytes)
        metrics.countClientBytes(bytes)
        if (from === 'store') counters.addFromStore(bytes)
      },
      onDefect: error => { log.error({ err: error }, 'defect') },
      observeRequest: (...observed) => { metrics.observeRequest(...observed) },
      defaultRegistry: config.defaultRegistry,
      notReady: () => isReady ? [] : ['the agent is starting or stopping'],
      status: async () => report.status(),
      peers: async () => report.peers(),
      renderMetrics: async () => ({ contentType: metrics.contentType, body: await metrics.render() }),
      pull: async (reference, platform, onEvent, signal) => {
        const repository = { registry: reference.registry, name: reference.repository }
        await pullImage({ puller, events, now: Date.now }, { reference, repository, platform, onEvent }, { signal })
      }
    }, { defaultRegistry: config.defaultRegistry, allowedHosts: new Set([config.http.host, ...config.allowHosts]) })
    cleanups.push(async () => {
      const cut = setTimeout(() => { app.server.closeAllConnections() }, STOP_GRACE_MS)
      await app.close()
      clearTimeout(cut)
    })
    const url = await listen(app, config)
    isReady = true
    store.warmUp()
    log.info({ http: url, p2p: node.addresses(), data: config.data }, 'ready')
    return {
      addresses: () => ({ http: url, p2p: node.addresses() }),
      stop: async () => {
        isReady = false
        await cleanUp()
        log.info({}, 'stopped')
      }
    }
  }

  async function publish (store: DiskStore, node: SwarmNode, policy: SharingPolicy, isBusy: () => boolean): Promise<void> {
    const announcer = new Announcer({ router: node.router, events, isBusy }, { delayMs: ANNOUNCE_DELAY_MS, concurrency: 1, restFactor: ANNOUNCE_REST })
    const publication = new Publication({ store, announcements: announcer }, policy)
    const unsubscribe = events.subscribe(publication.handle)
    announcer.start()
    cleanups.push(async () => {
      unsubscribe()
      await announcer.stop()
    })
    await publication.start()
  }
}

async function openOrigin (config: Config, log: Logger, version: string): Promise<RegistryOrigin> {
  const environment = config.registryAuthFile === undefined ? process.env : { REGISTRY_AUTH_FILE: config.registryAuthFile }
  const onLog = ({ type, ...fields }: { type: string }): void => { log.debug(fields, type) }
  const credentials = new FileCredentials({ log: onLog }, { paths: credentialFilePaths(environment) })
  const { timeouts } = config
  return new RegistryOrigin({ credentials, log: onLog }, {
    registries: await readRegistries(config.origins),
    userAgent: `shoal/${version}`,
    bytesPerSecond: config.downloadLimit,
    timeouts: {
      connectMs: timeouts.originConnect,
      headersMs: timeouts.manifest,
      firstByteMs: timeouts.blobFirstByte,
      stallMs: timeouts.stall
    }
  })
}

async function listen (app: ReturnType<typeof createHttpServer>, config: Config): Promise<string> {
  const { host, port } = config.http
  try {
    await app.listen({ host, port })
  } catch (cause) {
    throw new HttpListenError(`${host}:${port}`, { cause })
  }
  const { address, family, port: bound } = app.server.address() as AddressInfo
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`
}
