import { createHash } from 'node:crypto'
import { EventHub, type ShoalEvent } from '../../src/events.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { repositoryKey, type Repository } from '../../src/oci/repository.ts'
import type { OpenBlob } from '../../src/pull/open-blob.ts'
import { Puller, type PullerInit } from '../../src/pull/puller.ts'
import { MemoryNetwork, MemoryRouter } from '../../src/routing/memory.ts'
import { DiskStore } from '../../src/store/disk-store.ts'
import { MemoryStore } from '../../src/store/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { PeerScore } from '../../src/swarm/peer-score.ts'
import { MemoryOrigin } from '../support/memory-origin.ts'
import { MemoryPeers } from '../support/memory-peers.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { until } from '../../scenarios/live/until.ts'

export const KIB = 1024
export const repository: Repository = { registry: 'registry.test', name: 'team/app' }
/** Longer than any test: whoever waits for it fails. */
export const NEVER_MS = 2 ** 31 - 1

/** All parts of a pull but the network's: real where there is a version in memory. */
export interface Kit {
  readonly store: Store
  readonly origin: MemoryOrigin
  readonly peers: MemoryPeers
  readonly network: MemoryNetwork
  readonly router: MemoryRouter
  readonly score: PeerScore
  readonly events: EventHub
  /** All events so far. */
  readonly log: ShoalEvent[]
  /** The clock; set it. */
  readonly clock: { nowMs: number }
  readonly now: () => number
  /** A puller over these parts, stopped by `close`; one that waits for no timer unless told to. */
  puller (init?: PullerInit): Puller
  /** Closes the store and opens it again, as a restart does. Nothing happens to one in memory. */
  reopen (): Promise<void>
  close (): Promise<void>
}

export interface KitInit {
  /** @default 'memory' */
  readonly store?: 'memory' | 'disk'
  /** Wraps the store, to let it fail. */
  readonly wrap?: (store: Store) => Store
}

export async function makeKit ({ store: kind = 'memory', wrap = store => store }: KitInit = {}): Promise<Kit> {
  const clock = { nowMs: 1_000_000 }
  const now = (): number => clock.nowMs
  const events = new EventHub(now)
  const log: ShoalEvent[] = []
  events.subscribe(event => { log.push(event) })
  const directory = kind === 'disk' ? await makeTempDir('pull') : undefined
  const open = async (): Promise<Store> => wrap(directory === undefined ? new MemoryStore({ events, now }) : await DiskStore.open(directory, { events, now }))
  let store = await open()
  const network = new MemoryNetwork()
  const router = new MemoryRouter({ network }, { peer: 'self' })
  const pullers: Puller[] = []
  const kit: Kit = {
    get store () { return store },
    origin: new MemoryOrigin(),
    peers: new MemoryPeers(),
    network,
    router,
    score: new PeerScore(),
    events,
    log,
    clock,
    now,
    puller (init = {}) {
      const puller = new Puller({ ...kit, store }, { graceMs: NEVER_MS, searchMs: NEVER_MS, busyPauseMs: 1, ...init })
      pullers.push(puller)
      return puller
    },
    async reopen () {
      if (directory === undefined) return
      await store.close()
      store = await open()
    },
    async close () {
      await Promise.all(pullers.map(puller => puller.stop()))
      await store.close()
      if (directory !== undefined) await removeTempDir(directory)
    }
  }
  return kit
}

/** Bytes that look random and are the same for the same seed. */
export function bytesOf (size: number, seed = 'shoal'): Uint8Array {
  return new Uint8Array(createHash('shake256', { outputLength: Math.max(size, 1) }).update(seed).digest().subarray(0, size))
}

/** Reads a blob to its end. */
export async function readAll (blob: OpenBlob, { bufferBytes = 64 * KIB }: { bufferBytes?: number } = {}): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  for (let position = 0; ;) {
    const buffer = new Uint8Array(bufferBytes)
    const read = await blob.read(buffer, position)
    if (read === 0) return Buffer.concat(chunks)
    chunks.push(buffer.subarray(0, read))
    position += read
  }
}

/** Opens a blob, reads it to its end and closes it. */
export async function pullBlob (puller: Puller, digest: Digest, from = repository): Promise<Uint8Array> {
  const blob = await puller.blobs.open(from, digest)
  try {
    return await readAll(blob)
  } finally {
    await blob.close()
  }
}

/** Peers banned so far, sorted. */
export function banned (kit: Kit): string[] {
  return kit.score.bans(kit.now()).map(ban => ban.peer).sort()
}

/** Resolves when all fetches have ended and let go. */
export async function settled (puller: Puller): Promise<void> {
  await until(() => puller.blobs.status().length === 0, { what: 'the end of all fetches' })
}

/** A blob's size as a manifest tells it. */
export async function describeBlob (kit: Kit, digest: Digest, size: number): Promise<void> {
  await kit.store.links.describe(repositoryKey(repository), [{ digest, size, mediaType: MEDIA_TYPES.ociConfig, kind: 'blob' }])
}
