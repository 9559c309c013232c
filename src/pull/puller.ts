import { ShoalError } from '../errors.ts'
import type { EventHub } from '../events.ts'
import type { PeerContent } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { ReferrersIndex } from '../oci/referrers.ts'
import { ociError } from '../oci/oci-error.ts'
import { repositoryKey, repositoryOfKey, type Repository } from '../oci/repository.ts'
import type { Origin } from '../origin/origin.ts'
import type { Router } from '../routing/router.ts'
import type { Store } from '../store/store.ts'
import type { PeerScore } from '../swarm/peer-score.ts'
import type { SwarmParts } from './blob-fetches.ts'
import { Blobs } from './blobs.ts'
import { findHolder } from './holder-search.ts'
import { Manifests, type ManifestContent } from './manifests.ts'
import { OriginRecord } from './origin-record.ts'
import { OriginSlots } from './origin-slots.ts'
import { listReferrers } from './referrers.ts'
import { Servable } from './servable.ts'
import type { SourceTimes } from './source-order.ts'
import { Tags, type ResolvedTag } from './tags.ts'

export interface PullerComponents {
  readonly store: Store
  readonly origin: Origin
  readonly peers: PeerContent
  readonly router: Router
  readonly score: PeerScore
  readonly events: EventHub
  readonly now: () => number
  /** Pieces of blobs are exchanged with other agents. @default blobs are read from one source after another */
  readonly swarm?: SwarmParts
}

export interface PullerInit extends SourceTimes {
  /** How long an origin's word on a tag is taken without asking again, in milliseconds. @default 30000 */
  readonly tagTtlMs?: number
  /** Requests for bytes of blobs to origins at a time, of all blobs together. @default 4 */
  readonly originConcurrency?: number
}

/** A tag, or a digest. */
export type ManifestReference = { readonly tag: string, readonly digest?: undefined } | { readonly digest: Digest, readonly tag?: undefined }

/** That an answer may be out of date, and why. */
export interface Staleness {
  /** Milliseconds since the epoch, when the origin last said so; undefined when not known. */
  readonly sinceMs?: number
  readonly reason: string
}

export interface ManifestFacts {
  readonly digest: Digest
  readonly mediaType: string
  /** Bytes. */
  readonly size: number
  readonly stale?: Staleness
}

export type ManifestAnswer = ManifestContent & { readonly stale?: Staleness }

/** All that a request needs, whoever has it: store, then peers, then origin. */
export class Puller {
  readonly blobs: Blobs
  readonly #components: PullerComponents
  readonly #init: PullerInit
  readonly #manifests: Manifests
  readonly #tags: Tags
  readonly #servable: Servable

  constructor (components: PullerComponents, init: PullerInit = {}) {
    this.#components = components
    this.#init = init
    this.blobs = new Blobs({ ...components, originSlots: new OriginSlots(init.originConcurrency) }, init)
    const record = new OriginRecord()
    this.#manifests = new Manifests({ ...components, record, budget: components.swarm?.budget }, init)
    this.#tags = new Tags({ ...components, record }, { ttlMs: init.tagTtlMs })
    this.#servable = new Servable({ ...components, manifests: this.#manifests }, init)
  }

  /** @throws OciError; ContentUnavailableError when a digest cannot be had */
  async manifest (repository: Repository, reference: ManifestReference, { signal }: { signal?: AbortSignal } = {}): Promise<ManifestAnswer> {
    const { digest, stale } = await this.#resolve(repository, reference, signal)
    const content = await this.#manifests.get(repository, digest, { signal })
    if (content.from === 'origin') this.#servable.heard(repository.registry, this.#components.now())
    await this.#servable.require(repository, digest, content.document, { signal })
    return { ...content, stale }
  }

  /** What a HEAD answers; downloads nothing where origin or peers can tell. @throws as `manifest` */
  async statManifest (repository: Repository, reference: ManifestReference, { signal }: { signal?: AbortSignal } = {}): Promise<ManifestFacts> {
    const { digest, stale, resolved } = await this.#resolve(repository, reference, signal)
    const content = await this.#manifests.stored(digest)
    if (content !== undefined) {
      await this.#servable.require(repository, digest, content.document, { signal })
      return { digest, mediaType: content.mediaType, size: content.bytes.length, stale }
    }
    if (resolved !== undefined && stale === undefined) return { digest, mediaType: resolved.mediaType, size: resolved.size }
    const known = await this.#components.store.links.descriptor(repositoryKey(repository), digest)
    if (known?.kind === 'manifest' && await this.#isWithPeer(digest, signal)) return { digest, mediaType: known.mediaType, size: known.size, stale }
    const { mediaType, bytes } = await this.manifest(repository, { digest }, { signal })
    return { digest, mediaType, size: bytes.length, stale }
  }

  /** In lexical order: the origin's, or those known here when it cannot be asked. @throws OciError NAME_UNKNOWN */
  async tags (repository: Repository, { signal }: { signal?: AbortSignal } = {}): Promise<{ tags: string[], stale?: Staleness }> {
    const { origin, store } = this.#components
    const key = repositoryKey(repository)
    try {
      return { tags: await origin.tags(repository, { signal }) }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ShoalError)) throw error
      const known = error.code === 'ORIGIN_NOT_FOUND' || error.code === 'ORIGIN_DENIED' ? [] : await store.links.tags(key)
      if (known.length > 0) return { tags: known, stale: { reason: error.message } }
      throw ociError('NAME_UNKNOWN', { message: `${key} is unknown: ${error.message}`, detail: { name: key, reason: error.code }, cause: error })
    }
  }

  async referrers (repository: Repository, digest: Digest, artifactType: string | undefined, { signal }: { signal?: AbortSignal } = {}): Promise<ReferrersIndex & { readonly isStale: boolean }> {
    return listReferrers({ ...this.#components, manifests: this.#manifests }, repository, digest, artifactType, { signal })
  }

  /** Fetches a blob again that was here and is damaged, as for one of the repositories that it is known to belong to. */
  async repair (digest: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    const { links } = this.#components.store
    for (const key of await links.repositories()) {
      signal?.throwIfAborted()
      if (await links.descriptor(key, digest) === undefined) continue
      await this.blobs.fetch(repositoryOfKey(key), digest, { signal })
      return
    }
  }

  /** Abandons all that is under way; what has come is kept. */
  async stop (): Promise<void> {
    await this.blobs.stop()
  }

  async #resolve (repository: Repository, reference: ManifestReference, signal: AbortSignal | undefined): Promise<{ digest: Digest, stale?: Staleness, resolved?: ResolvedTag }> {
    if (reference.digest !== undefined) return { digest: reference.digest }
    const resolved = await this.#tags.resolve(repository, reference.tag, { signal })
    if (!resolved.isStale) {
      this.#servable.heard(repository.registry, resolved.resolvedAt)
      return { digest: resolved.digest, resolved }
    }
    return { digest: resolved.digest, resolved, stale: { sinceMs: resolved.resolvedAt, reason: resolved.reason ?? 'the origin cannot be asked' } }
  }

  async #isWithPeer (digest: Digest, signal: AbortSignal | undefined): Promise<boolean> {
    return await findHolder(this.#components, { ...this.#init, kind: 'manifest', digest }, { signal }) !== undefined
  }
}
