import { createHash } from 'node:crypto'
import type { Libp2p, PeerId, PeerInfo } from '@libp2p/interface'
import type { KadDHT } from '@libp2p/kad-dht'
import { CID } from 'multiformats/cid'
import * as raw from 'multiformats/codecs/raw'
import { create as createMultihash } from 'multiformats/hashes/digest'
import { digestAlgorithm, digestHex, type Digest } from '../oci/digest.ts'
import { ProvideError, RouterNotReadyError } from './router-error.ts'
import type { Provider, RouterOptions, WatchableRouter } from './router.ts'

const SHA2_256 = 0x12
const DEFAULT_PROVIDE_TIMEOUT_MS = 30_000
const DEFAULT_FIND_TIMEOUT_MS = 10_000
const DEFAULT_MAX_PROVIDERS = 64
/** Addresses of a provider that are taken from one answer. */
const MAX_HEARD_ADDRESSES = 8
/** Addresses of a peer that are kept: libp2p refuses to dial one with more than 25, and tries one after another. */
const MAX_KNOWN_ADDRESSES = 16
/** Up to so many peers no bucket of the table, of 20, is full: half of all peers belong into the largest. */
const MAX_WHOLLY_KNOWN = 32
/** A table in which nothing has changed for so long names everybody: neighbours tell each other whom they know when they meet, in milliseconds. */
const DEFAULT_SETTLED_MS = 5_000

/** What kad-dht's class has beyond its interface. */
export interface DhtService extends KadDHT {
  readonly routingTable: {
    readonly size: number
    readonly kb: { toIterable (): Iterable<{ readonly peerId: PeerId }> }
    addEventListener (type: 'peer:add', listener: () => void): void
  }
}

/** The part of a libp2p node the router needs. */
export type DhtHost = Pick<Libp2p<{ dht: DhtService }>, 'peerId' | 'services' | 'peerStore' | 'getConnections' | 'addEventListener'>

export interface DhtRouterInit {
  /** How long one announcement may take. @default 30000 */
  readonly provideTimeoutMs?: number
  /** How long one search may take. @default 10000 */
  readonly findTimeoutMs?: number
  /** Providers one search yields at most. @default 64 */
  readonly maxProviders?: number
  /** After the last new peer the swarm counts as known after so long, in milliseconds. @default 5000 */
  readonly settledMs?: number
  /** Milliseconds. @default performance.now */
  readonly now?: () => number
}

/**
 * The key of a blob in the DHT. Only sha2-256 multihashes can be keys there, so another digest is found under the
 * sha256 of its text.
 */
export function routingKey (digest: Digest): CID {
  const hash = digestAlgorithm(digest) === 'sha256'
    ? Buffer.from(digestHex(digest), 'hex')
    : createHash('sha256').update(digest).digest()
  return CID.createV1(raw.code, createMultihash(SHA2_256, Uint8Array.from(hash)))
}

/** Finds providers over kad-dht. Knows no DHT until a node is attached; until then it is not ready and finds nobody. */
export class DhtRouter implements WatchableRouter {
  readonly #provideTimeoutMs: number
  readonly #findTimeoutMs: number
  readonly #maxProviders: number
  readonly #settledMs: number
  readonly #now: () => number
  readonly #listeners = new Set<() => void>()
  #host: DhtHost | undefined
  #wasReady = false
  #changedAtMs = -Infinity

  constructor (init: DhtRouterInit = {}) {
    this.#provideTimeoutMs = init.provideTimeoutMs ?? DEFAULT_PROVIDE_TIMEOUT_MS
    this.#findTimeoutMs = init.findTimeoutMs ?? DEFAULT_FIND_TIMEOUT_MS
    this.#maxProviders = init.maxProviders ?? DEFAULT_MAX_PROVIDERS
    this.#settledMs = init.settledMs ?? DEFAULT_SETTLED_MS
    this.#now = init.now ?? (() => performance.now())
  }

  attach (host: DhtHost): void {
    this.#host = host
    const update = (): void => { this.#update() }
    this.#changedAtMs = this.#now()
    host.services.dht.routingTable.addEventListener('peer:add', () => {
      this.#changedAtMs = this.#now()
      update()
    })
    host.addEventListener('peer:connect', update)
    host.addEventListener('peer:disconnect', update)
  }

  detach (): void {
    this.#host = undefined
    this.#update()
  }

  /** The table keeps peers that are long gone, so an entry alone says little: somebody must be connected too. */
  isReady (): boolean {
    return this.#host !== undefined && this.#host.services.dht.routingTable.size > 0 && this.#host.getConnections().length > 0
  }

  onReady (listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  async provide (digest: Digest, { signal }: RouterOptions = {}): Promise<void> {
    const host = this.#readyHost()
    const timeout = AbortSignal.timeout(this.#provideTimeoutMs)
    let told = 0
    let lastError: Error | undefined
    try {
      for await (const event of host.services.dht.provide(routingKey(digest), { signal: joined(signal, timeout) })) {
        if (event.name === 'PEER_RESPONSE' && event.messageName === 'ADD_PROVIDER') told++
        if (event.name === 'QUERY_ERROR') lastError = event.error
      }
    } catch (error) {
      signal?.throwIfAborted()
      const reason = timeout.aborted ? `not done within ${this.#provideTimeoutMs} ms` : messageOf(error)
      if (told === 0) throw new ProvideError(digest, reason, { cause: error })
    }
    // kad-dht itself is content with having told nobody.
    if (told === 0) throw new ProvideError(digest, `no peer took it${lastError === undefined ? '' : `: ${lastError.message}`}`, { cause: lastError })
  }

  /** Also removes our own record, so that we neither name ourselves nor announce it again. */
  async withdraw (digest: Digest, { signal }: RouterOptions = {}): Promise<void> {
    signal?.throwIfAborted()
    await this.#host?.services.dht.cancelReprovide(routingKey(digest), { signal: joined(signal, AbortSignal.timeout(this.#provideTimeoutMs)) })
  }

  mayKnowMore (asked: ReadonlySet<string>): boolean {
    if (this.#host === undefined || this.#now() < this.#changedAtMs + this.#settledMs) return true
    const { routingTable } = this.#host.services.dht
    if (routingTable.size > MAX_WHOLLY_KNOWN) return true
    for (const { peerId } of routingTable.kb.toIterable()) if (!asked.has(peerId.toString())) return true
    return false
  }

  async * findProviders (digest: Digest, { signal }: RouterOptions = {}): AsyncGenerator<Provider> {
    const host = this.#host
    if (host === undefined || !this.isReady()) return
    const deadline = joined(signal, AbortSignal.timeout(this.#findTimeoutMs))
    const seen = new Set([host.peerId.toString()])
    try {
      for await (const event of host.services.dht.findProviders(routingKey(digest), { signal: deadline })) {
        if (event.name !== 'PROVIDER') continue
        for (const provider of event.providers) {
          const peer = provider.id.toString()
          if (peer === host.peerId.toString()) continue
          // also of one that was named before: the first to name it may have lied about where it is
          await remember(host, provider)
          if (seen.has(peer)) continue
          seen.add(peer)
          yield { peer, addresses: [...new Set(provider.multiaddrs.map(address => address.toString()))] }
          if (seen.size > this.#maxProviders) return
        }
      }
    } catch (error) {
      if (!deadline.aborted) throw error
    }
  }

  #readyHost (): DhtHost {
    if (this.#host === undefined || !this.isReady()) throw new RouterNotReadyError()
    return this.#host
  }

  #update (): void {
    const isReady = this.isReady()
    const becameReady = isReady && !this.#wasReady
    this.#wasReady = isReady
    if (!becameReady) return
    for (const listener of this.#listeners) listener()
  }
}

/**
 * A provider's addresses are kept so that it can be dialled by its id alone. Anybody may name any: when there are too
 * many, those it gave under its signature and the newest stay.
 */
async function remember ({ peerStore }: DhtHost, { id, multiaddrs }: PeerInfo): Promise<void> {
  const heard = multiaddrs.slice(0, MAX_HEARD_ADDRESSES)
  if (heard.length === 0) return
  const known = await peerStore.has(id) ? (await peerStore.get(id)).addresses : []
  if (known.length + heard.length <= MAX_KNOWN_ADDRESSES) {
    await peerStore.merge(id, { multiaddrs: heard })
    return
  }
  const certified = known.filter(address => address.isCertified).slice(0, MAX_KNOWN_ADDRESSES - heard.length)
  await peerStore.patch(id, { addresses: [...certified, ...heard.map(multiaddr => ({ multiaddr, isCertified: false }))] })
}

function joined (signal: AbortSignal | undefined, timeout: AbortSignal): AbortSignal {
  return signal === undefined ? timeout : AbortSignal.any([signal, timeout])
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
