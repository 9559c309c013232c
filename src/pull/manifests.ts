import { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import type { Holding } from '../net/peers.ts'
import { digestAlgorithm, digestOf, type Digest } from '../oci/digest.ts'
import { children, isManifestDescriptor, MAX_MANIFEST_BYTES, readManifest, type ManifestDocument } from '../oci/manifest.ts'
import { OciError } from '../oci/oci-error.ts'
import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { Origin } from '../origin/origin.ts'
import type { Access, Store } from '../store/store.ts'
import { withDeadline } from '../origin/deadline.ts'
import { Blame } from './blame.ts'
import type { SwarmParts } from './blob-fetches.ts'
import { ContentUnavailableError, OvertakenError, PeerLieError, reasonOf } from './errors.ts'
import type { HolderSearchComponents } from './holder-search.ts'
import { ManifestTurn } from './manifest-turn.ts'
import { OriginRecord } from './origin-record.ts'
import { SharedWork } from '../shared-work.ts'
import { isMissing, SourceOrder, spanSource, type Source, type SourceTimes } from './source-order.ts'

/** Pairs of repository and digest known to be linked, so that a warm manifest costs no write. */
const MAX_LINKED_REMEMBERED = 10_000

export interface ManifestsComponents extends HolderSearchComponents {
  readonly store: Store
  readonly origin: Origin
  readonly events: EventSink
  /** How origins answered lately. @default a new one */
  readonly record?: OriginRecord
  /** Agents that want the same manifest at once leave it to one of them to read it from the origin. @default each reads it */
  readonly swarm?: Pick<SwarmParts, 'exchange' | 'self' | 'originPolicy' | 'mayShare'>
  /** What counts against the limit. @default nothing */
  readonly budget?: Pick<SwarmParts['budget'], 'count'>
}

/** A manifest's exact bytes, and what they say. */
export interface ManifestContent {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly document: ManifestDocument
  /** `origin`: straight from it, just now, so it is there for what is below the manifest. */
  readonly from: 'store' | 'peer' | 'origin'
}

interface Fetched {
  readonly content: ManifestContent
  /** Whose origin was asked. */
  readonly registry: string
}

type FetchedContent = ManifestContent & { readonly from: Source['type'] }

/** Whom a fetch asks, and in whose turn. */
interface Asking {
  readonly order: SourceOrder
  readonly turn: ManifestTurn
  readonly signal: AbortSignal
}

interface Received {
  readonly bytes: Uint8Array
  readonly mediaType?: string
  readonly access: Access
}

/** Manifests by digest: store, then peers, then origin. Small and wanted whole, so they are verified in memory. */
export class Manifests {
  readonly #components: ManifestsComponents
  readonly #times: SourceTimes
  readonly #record: OriginRecord
  readonly #work = new SharedWork<Fetched>()
  readonly #linked = new Set<string>()

  constructor (components: ManifestsComponents, times: SourceTimes = {}) {
    this.#components = components
    this.#times = times
    this.#record = components.record ?? new OriginRecord()
  }

  /** @throws ContentUnavailableError; OciError MANIFEST_INVALID when the digest names something that is no manifest */
  async get (repository: Repository, digest: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<ManifestContent> {
    const content = await this.stored(digest) ?? await this.#join(repository, digest, signal)
    await this.#link(repository, content)
    return content
  }

  /** One read a digest, whichever repositories it is wanted for; who joined another's asks its own origin when that had nothing. */
  async #join (repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<ManifestContent> {
    const fetch = async (signal: AbortSignal): Promise<Fetched> => ({ content: await this.#fetch(repository, digest, signal), registry: repository.registry })
    let isOurs = false
    try {
      const { content, registry } = await this.#work.join(digest, async signal => {
        isOurs = true
        return fetch(signal)
      }, { signal })
      return registry === repository.registry ? content : { ...content, from: 'store' }
    } catch (error) {
      if (isOurs || !(error instanceof ContentUnavailableError)) throw error
      return (await this.#work.join(`${repositoryKey(repository)}@${digest}`, fetch, { signal })).content
    }
  }

  /** The manifest if it is in the store. */
  async stored (digest: Digest): Promise<ManifestContent | undefined> {
    const { store } = this.#components
    const record = await store.stat(digest)
    if (record === undefined || record.size > MAX_MANIFEST_BYTES) return undefined
    const reader = await store.open(digest)
    if (reader === undefined) return undefined
    try {
      const bytes = await reader.bytes()
      const document = readManifest(bytes, { mediaType: record.mediaType })
      if (record.kind === 'blob') await store.put(digest, bytes, { kind: 'manifest', access: record.access, mediaType: document.mediaType })
      return { digest, mediaType: document.mediaType, bytes, document, from: 'store' }
    } catch (error) {
      // a blob that is no manifest, or a manifest that rotted and was put into quarantine: both are not here
      if (error instanceof OciError || (error instanceof ShoalError && error.code === 'DIGEST_MISMATCH')) return undefined
      throw error
    } finally {
      await reader.close()
    }
  }

  async #fetch (repository: Repository, digest: Digest, signal: AbortSignal): Promise<ManifestContent> {
    const { events, now } = this.#components
    const startedAt = now()
    const order = new SourceOrder(this.#components, { ...this.#times, kind: 'manifest', digest, signal })
    order.addRepository(repository)
    const { swarm, score } = this.#components
    const turn = new ManifestTurn({ swarm, score, now, known: this.#record.of(repository) }, digest)
    let from: Source['type'] | undefined
    events.emit({ type: 'fetch:started', digest, resumedAt: 0 })
    try {
      const content = await this.#fromAnySource(repository, digest, { order, turn, signal })
      from = content.from
      events.emit({ type: 'fetch:completed', digest, size: content.bytes.length, durationMs: now() - startedAt })
      return content
    } catch (error) {
      if (signal.aborted) events.emit({ type: 'fetch:abandoned', digest, at: 0 })
      else events.emit({ type: 'fetch:failed', digest, ...reasonOf(error) })
      throw error
    } finally {
      order.stop()
      turn.end({ isRead: from === 'origin' })
    }
  }

  async #fromAnySource (repository: Repository, digest: Digest, { order, turn, signal }: Asking): Promise<FetchedContent> {
    let isUnknown = true
    let cause: unknown
    for await (const source of turn.sources(order, signal)) {
      let received: Received
      try {
        received = await this.#receive(repository, digest, source, { order, turn, signal })
      } catch (error) {
        signal.throwIfAborted()
        if (error instanceof OvertakenError) continue
        isUnknown &&= isMissing(error)
        if (source.type === 'origin') cause = error
        this.#sourceFailed(order, digest, source, error)
        continue
      }
      return this.#keep(repository, digest, source, received)
    }
    throw new ContentUnavailableError(digest, { isUnknown, cause })
  }

  /** Bytes that match the digest. */
  async #receive (repository: Repository, digest: Digest, source: Source, { turn, signal }: Asking): Promise<Received> {
    const { events } = this.#components
    const label = spanSource(source)
    events.emit({ type: 'fetch:source', digest, source: label, start: 0 })
    const received: Received = source.type === 'peer'
      ? await this.#readPeer(digest, source, signal)
      : await turn.read(async signal => this.#readOrigin(repository, digest, signal), signal)
    events.emit({ type: 'fetch:received', digest, source: label, bytes: received.bytes.length })
    return received
  }

  async #readOrigin (repository: Repository, digest: Digest, signal: AbortSignal): Promise<Received> {
    const { origin, now } = this.#components
    const askedAt = now()
    const received = await origin.manifest(repository, digest, { signal })
    this.#components.budget?.count(received.bytes.length)
    this.#record.answered(repository, { access: received.access, tookMs: now() - askedAt })
    return received
  }

  /** The bytes are right, so whatever they are, another source would not help. */
  async #keep (repository: Repository, digest: Digest, source: Source, { bytes, mediaType, access }: Received): Promise<FetchedContent> {
    const { store } = this.#components
    const document = readManifest(bytes, { mediaType: mediaType ?? (await store.links.descriptor(repositoryKey(repository), digest))?.mediaType })
    await store.put(digest, bytes, { kind: 'manifest', access, mediaType: document.mediaType })
    return { digest, mediaType: document.mediaType, bytes, document, from: source.type }
  }

  async #readPeer (digest: Digest, { holding, withinMs }: Extract<Source, { type: 'peer' }>, signal: AbortSignal): Promise<Received> {
    const read = async (signal: AbortSignal): Promise<Received> => this.#readHolding(digest, holding, signal)
    return withinMs === undefined ? read(signal) : withDeadline('reading a manifest from a peer', withinMs, signal, read)
  }

  async #readHolding (digest: Digest, { peer, size }: Holding, signal: AbortSignal): Promise<Received> {
    const { peers, score, now } = this.#components
    if (size > MAX_MANIFEST_BYTES) throw new PeerLieError(peer, `said manifest ${digest} has ${size} bytes`)
    const startedAt = now()
    const read = await peers.read(peer, 'manifest', digest, 0, { signal })
    const chunks: Uint8Array[] = []
    let length = 0
    for await (const chunk of read.body) {
      length += chunk.length
      if (length > MAX_MANIFEST_BYTES) throw new PeerLieError(peer, `sent more than ${MAX_MANIFEST_BYTES} bytes for manifest ${digest}`)
      chunks.push(new Uint8Array(chunk))
    }
    const bytes = Buffer.concat(chunks)
    if (digestOf(bytes, digestAlgorithm(digest)) !== digest) throw new PeerLieError(peer, `sent bytes that do not match ${digest}`)
    score.delivered(peer, length, now() - startedAt)
    return { bytes, access: read.restricted ? 'restricted' : 'public' }
  }

  #sourceFailed (order: SourceOrder, digest: Digest, source: Source, error: unknown): void {
    const { events, score, now } = this.#components
    const { code, reason } = reasonOf(error)
    events.emit({ type: 'fetch:source-failed', digest, source: spanSource(source), at: 0, code, reason })
    if (source.type === 'origin') return
    const { peer } = source.holding
    if (error instanceof ShoalError && error.blamesPeer) {
      order.exclude(peer)
      new Blame(this.#components, digest).ban(peer, reason)
    } else if (code === 'PEER_BUSY') {
      order.metBusy()
    } else if (!isMissing(error)) {
      score.failed(peer, now())
    }
  }

  /** Remembers what belongs to the repository, and the sizes of what the manifest names. */
  async #link (repository: Repository, { digest, document }: ManifestContent): Promise<void> {
    const { links } = this.#components.store
    const key = repositoryKey(repository)
    const pair = `${key}@${digest}`
    if (this.#linked.has(pair)) return
    const below = children(document)
    await links.describe(key, below.map(descriptor => ({
      digest: descriptor.digest,
      size: descriptor.size,
      mediaType: descriptor.mediaType,
      kind: isManifestDescriptor(descriptor) ? 'manifest' : 'blob'
    })))
    await links.link(key, [digest, ...below.map(descriptor => descriptor.digest)])
    if (this.#linked.size === MAX_LINKED_REMEMBERED) this.#linked.clear()
    this.#linked.add(pair)
  }
}
