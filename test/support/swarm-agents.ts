import { cp } from 'node:fs/promises'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { Exchange, type ExchangeInit } from '../../src/exchange/exchange.ts'
import { Intake } from '../../src/exchange/intake.ts'
import { EventHub, type ShoalEvent } from '../../src/events.ts'
import type { Pace } from '../../src/net/pace.ts'
import { signAttestation } from '../../src/net/swarm-attestation.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { repositoryKey, type Repository } from '../../src/oci/repository.ts'
import type { SwarmParts } from '../../src/pull/blob-fetches.ts'
import { DownloadBudget } from '../../src/pull/download-budget.ts'
import { Puller, type PullerInit } from '../../src/pull/puller.ts'
import { StoreShare } from '../../src/pull/shared-content.ts'
import { mayShare, type SharingPolicy } from '../../src/pull/sharing.ts'
import { MemoryNetwork, MemoryRouter } from '../../src/routing/memory.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Access, Store } from '../../src/store/store.ts'
import { PeerScore } from '../../src/swarm/peer-score.ts'
import { TokenBucket } from '../../src/swarm/token-bucket.ts'
import { LinkNetwork, MemoryLinks } from './memory-links.ts'
import { MemoryOrigin } from './memory-origin.ts'
import { MemoryPeers } from './memory-peers.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'

export interface SwarmAgentInit extends ExchangeInit {
  /** @default 'memory' */
  readonly store?: 'memory' | 'disk'
  readonly sharePrivate?: boolean
  readonly originPolicy?: SwarmParts['originPolicy']
  readonly stallMs?: number
  readonly pace?: Pace
  /** Milliseconds since the epoch, as its exchange sees it. @default Date.now */
  readonly now?: () => number
  /** Bytes a second that may come. @default no limit */
  readonly downloadLimit?: number
  /** Wraps what the agent gives, to let it lie. */
  readonly share?: (share: StoreShare) => Pick<StoreShare, 'open'>
}

/** All of an agent but its sockets: real parts over links in memory. */
export interface SwarmAgent {
  readonly peer: string
  readonly key: Ed25519PrivateKey
  readonly store: Store
  /** Of a store on disk. */
  readonly directory: string | undefined
  readonly links: MemoryLinks
  readonly exchange: Exchange
  /** What it gives. */
  readonly share: Pick<StoreShare, 'open'>
  readonly score: PeerScore
  readonly origin: MemoryOrigin
  readonly router: MemoryRouter
  readonly budget: DownloadBudget
  readonly events: EventHub
  readonly log: ShoalEvent[]
  puller (init?: PullerInit): Puller
  /** Holds the blob, verified. */
  seed (digest: Digest, bytes: Uint8Array, access?: Access): Promise<void>
  /** Knows the blob's size, as from a manifest. */
  describe (repository: Repository, digest: Digest, size: number): Promise<void>
  /** Abandons all that is under way. */
  stopPullers (): Promise<void>
  /** Stops all but the store's directory, as a kill does, and begins again; `between` may change it. */
  reopen (init?: { readonly between?: (directory: string) => Promise<void> }): Promise<SwarmAgent>
  /** Begins again with what the store's directory holds at this moment, in a copy of it: what a kill leaves. */
  killed (): Promise<SwarmAgent>
}

/** Several agents in one process, linked as a test says. */
export class SwarmOfAgents {
  readonly origin = new MemoryOrigin()
  readonly router = new MemoryNetwork()
  readonly #links = new LinkNetwork()
  readonly #cleanups: Array<() => Promise<void>> = []

  async add (init: SwarmAgentInit = {}): Promise<SwarmAgent> {
    const directory = init.store === 'disk' ? await this.#directory() : undefined
    return this.#make(init, await generateKeyPair('Ed25519'), directory)
  }

  /** Links all to all. */
  async linkAll (...agents: readonly SwarmAgent[]): Promise<void> {
    for (const [index, agent] of agents.entries()) {
      for (const other of agents.slice(index + 1)) await this.link(agent, other)
    }
  }

  /** Resolves when both know of the link. */
  async link (one: SwarmAgent, other: SwarmAgent): Promise<void> {
    await one.links.connect(other.peer)
    await other.links.connect(one.peer)
  }

  async close (): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).reverse()) await cleanup()
  }

  async #directory (): Promise<string> {
    const directory = await makeTempDir('swarm')
    this.#cleanups.unshift(async () => { await removeTempDir(directory) })
    return directory
  }

  async #make (init: SwarmAgentInit, key: Ed25519PrivateKey, directory: string | undefined): Promise<SwarmAgent> {
    const events = new EventHub(Date.now)
    const log: ShoalEvent[] = []
    events.subscribe(event => { log.push(event) })
    const store = directory === undefined ? new MemoryStore({ events, now: Date.now }) : await DiskStore.open(directory, { events })
    const peer = peerIdFromPrivateKey(key).toString()
    const intake = init.downloadLimit === undefined ? undefined : new Intake(new TokenBucket({ bytesPerSecond: init.downloadLimit }))
    const links = new MemoryLinks(this.#links, peer, intake)
    const score = new PeerScore()
    const policy: SharingPolicy = { isKeyed: init.isKeyed ?? false, sharePrivate: init.sharePrivate ?? false }
    const stored = new StoreShare({ store }, policy)
    const share = init.share?.(stored) ?? stored
    const pullers: Puller[] = []
    const exchange = new Exchange({
      links,
      share,
      self: () => peer,
      sign: pieces => signAttestation(key, pieces),
      score,
      events,
      pace: init.pace ?? { pass: async () => {} },
      now: init.now ?? Date.now,
      onDamaged: digest => { pullers.at(-1)?.repair(digest).catch(() => {}) }
    }, init)
    const budget = new DownloadBudget(Date.now, intake)
    const router = new MemoryRouter({ network: this.router }, { peer })
    const swarm: SwarmParts = { exchange, self: () => peer, budget, mayShare: access => mayShare(access, policy), originPolicy: init.originPolicy, stallMs: init.stallMs }
    let isStopped = false
    const stop = async (): Promise<void> => {
      if (isStopped) return
      isStopped = true
      await Promise.all(pullers.map(async puller => puller.stop()))
      exchange.stop()
      links.stop()
      await store.close()
    }
    this.#cleanups.push(stop)
    return {
      peer,
      key,
      store,
      directory,
      links,
      exchange,
      share,
      score,
      origin: this.origin,
      router,
      budget,
      events,
      log,
      puller: (times = {}) => {
        const puller = new Puller({ store, origin: this.origin, peers: new MemoryPeers(), router, score, events, now: Date.now, swarm }, { graceMs: 50, searchMs: 300, busyPauseMs: 1, ...times })
        pullers.push(puller)
        return puller
      },
      seed: async (digest, bytes, access = 'public') => { await store.put(digest, bytes, { kind: 'blob', access }) },
      describe: async (repository, digest, size) => {
        await store.links.describe(repositoryKey(repository), [{ digest, size, mediaType: MEDIA_TYPES.ociConfig, kind: 'blob' }])
      },
      stopPullers: async () => { await Promise.all(pullers.map(async puller => puller.stop())) },
      reopen: async ({ between } = {}) => {
        await stop()
        if (directory !== undefined) await between?.(directory)
        return this.#make(init, key, directory)
      },
      killed: async () => {
        if (directory === undefined) throw new Error('a store in memory leaves nothing')
        const left = await this.#directory()
        await cp(directory, left, { recursive: true })
        await stop()
        return this.#make(init, key, left)
      }
    }
  }
}

/** Bytes that came from members, and from the origin, as the events tell. */
export function receivedBy ({ log }: SwarmAgent): { peers: number, origin: number } {
  const sums = { peers: 0, origin: 0 }
  for (const event of log) {
    if (event.type === 'fetch:received') sums[event.source === 'origin' ? 'origin' : 'peers'] += event.bytes
  }
  return sums
}
