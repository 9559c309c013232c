import type { Digest } from '../oci/digest.ts'
import { children, isManifestDescriptor, type Descriptor, type ManifestDocument } from '../oci/manifest.ts'
import { ociError } from '../oci/oci-error.ts'
import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { Origin } from '../origin/origin.ts'
import { RecentMap } from '../recent.ts'
import type { Store } from '../store/store.ts'
import { findHolder, type HolderSearchComponents, type SearchTimes } from './holder-search.ts'
import type { Manifests } from './manifests.ts'
import { SharedWork } from '../shared-work.ts'

/** How long an origin that answered is taken to be there, in milliseconds. */
const ORIGIN_HEARD_MS = 10_000
/** Registries remembered; the oldest goes first. */
const MAX_REGISTRIES = 256
/** Descriptors of one document that peers are asked about at once. */
const MAX_ASKED_AT_ONCE = 8
/** Platforms of an index that peers are asked about. */
const MAX_PLATFORMS_ASKED = 32

export interface ServableComponents extends HolderSearchComponents {
  readonly store: Store
  readonly origin: Origin
  readonly manifests: Manifests
}

/**
 * Whether all below a manifest can be had. Podman and skopeo, once given a manifest, never ask anyone else again: what
 * cannot be served whole must not be begun. An origin that answered a moment ago is trusted to have the rest.
 */
export class Servable {
  readonly #components: ServableComponents
  readonly #times: SearchTimes
  readonly #heardAt = new RecentMap<string, number>(MAX_REGISTRIES)
  readonly #work = new SharedWork<Digest | undefined>()

  constructor (components: ServableComponents, times: SearchTimes = {}) {
    this.#components = components
    this.#times = times
  }

  /** The registry answered at that time (milliseconds since the epoch). */
  heard (registry: string, atMs: number): void {
    this.#heardAt.set(registry, Math.max(atMs, this.#heardAt.get(registry) ?? 0))
  }

  /** @throws OciError MANIFEST_UNKNOWN naming what is missing; for an index one platform that is whole will do */
  async require (repository: Repository, digest: Digest, document: ManifestDocument, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#isHeard(repository.registry)) return
    const missing = await this.#work.join(`${repositoryKey(repository)}@${digest}`, async signal => this.#missing(repository, document, signal), { signal })
    if (missing === undefined) return
    throw ociError('MANIFEST_UNKNOWN', {
      message: `${digest} is here, but ${missing} below it cannot be had now from any peer or from ${repository.registry}`,
      detail: { digest, missing }
    })
  }

  /** False also when the clock was set back. */
  #isHeard (registry: string): boolean {
    const ageMs = this.#components.now() - (this.#heardAt.get(registry) ?? -Infinity)
    return ageMs >= 0 && ageMs < ORIGIN_HEARD_MS
  }

  async #missing (repository: Repository, document: ManifestDocument, signal: AbortSignal): Promise<Digest | undefined> {
    const gap = await this.#gap(document, signal)
    if (gap === undefined || await this.#isAtOrigin(repository, gap, signal)) return undefined
    return gap.digest
  }

  /** Something below the document that is neither here nor with a peer. */
  async #gap (document: ManifestDocument, signal: AbortSignal): Promise<Descriptor | undefined> {
    const below = children(document).filter(descriptor => !descriptor.foreign)
    return document.type === 'manifest' ? this.#gapOfImage(below, signal) : this.#gapOfIndex(below, signal)
  }

  async #gapOfImage (descriptors: readonly Descriptor[], signal: AbortSignal): Promise<Descriptor | undefined> {
    const { store } = this.#components
    const absent: Descriptor[] = []
    for (const descriptor of descriptors) {
      if (await store.stat(descriptor.digest) === undefined) absent.push(descriptor)
    }
    for (let next = 0; next < absent.length; next += MAX_ASKED_AT_ONCE) {
      const asked = absent.slice(next, next + MAX_ASKED_AT_ONCE)
      const answers = await Promise.all(asked.map(descriptor => this.#isWithPeer(descriptor, signal)))
      const gap = asked.find((_, index) => answers[index] === false)
      if (gap !== undefined) return gap
    }
    return undefined
  }

  /** Undefined as soon as one platform can be had; else what is missing of the first. */
  async #gapOfIndex (descriptors: readonly Descriptor[], signal: AbortSignal): Promise<Descriptor | undefined> {
    const elsewhere: Descriptor[] = []
    let gap: Descriptor | undefined
    for (const descriptor of descriptors) {
      const content = isManifestDescriptor(descriptor) ? await this.#components.manifests.stored(descriptor.digest) : undefined
      if (content === undefined) {
        elsewhere.push(descriptor)
        continue
      }
      const missing = await this.#gap(content.document, signal)
      if (missing === undefined) return undefined
      gap ??= missing
    }
    const asked = elsewhere.slice(0, MAX_PLATFORMS_ASKED)
    for (let next = 0; next < asked.length; next += MAX_ASKED_AT_ONCE) {
      const answers = await Promise.all(asked.slice(next, next + MAX_ASKED_AT_ONCE).map(descriptor => this.#isWithPeer(descriptor, signal)))
      if (answers.includes(true)) return undefined
    }
    return gap ?? elsewhere[0]
  }

  async #isWithPeer (descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    const kind = isManifestDescriptor(descriptor) ? 'manifest' : 'blob'
    return await findHolder(this.#components, { ...this.#times, kind, digest: descriptor.digest }, { patient: true, signal }) !== undefined
  }

  /** One answer speaks for the whole image: the origin is there. */
  async #isAtOrigin (repository: Repository, descriptor: Descriptor, signal: AbortSignal): Promise<boolean> {
    const { origin, now } = this.#components
    try {
      if (isManifestDescriptor(descriptor)) await origin.resolve(repository, descriptor.digest, { signal })
      else await origin.statBlob(repository, descriptor.digest, { signal })
      this.heard(repository.registry, now())
      return true
    } catch {
      signal.throwIfAborted()
      return false
    }
  }
}
