import type { Digest } from '../oci/digest.ts'
import { children, isManifestDescriptor, type Descriptor, type ManifestDocument } from '../oci/manifest.ts'
import { ociError } from '../oci/oci-error.ts'
import type { Repository } from '../oci/repository.ts'
import type { Origin } from '../origin/origin.ts'
import type { Store } from '../store/store.ts'
import { findHolder, type HolderSearchComponents } from './holder-search.ts'
import type { Manifests } from './manifests.ts'

/** How long an origin that answered is taken to be there, in milliseconds. */
const ORIGIN_HEARD_MS = 10_000
/** Registries remembered; the oldest goes first. */
const MAX_REGISTRIES = 256

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
  readonly #heardAt = new Map<string, number>()

  constructor (components: ServableComponents) {
    this.#components = components
  }

  /** The registry answered at that time (milliseconds since the epoch). */
  heard (registry: string, atMs: number): void {
    this.#heardAt.delete(registry)
    this.#heardAt.set(registry, atMs)
    const [oldest] = this.#heardAt.keys()
    if (this.#heardAt.size > MAX_REGISTRIES && oldest !== undefined) this.#heardAt.delete(oldest)
  }

  /** @throws OciError MANIFEST_UNKNOWN naming what is missing; for an index one platform that is whole will do */
  async require (repository: Repository, digest: Digest, document: ManifestDocument, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#components.now() - (this.#heardAt.get(repository.registry) ?? -Infinity) < ORIGIN_HEARD_MS) return
    const missing = await this.#firstMissing(repository, document, signal)
    if (missing === undefined) return
    throw ociError('MANIFEST_UNKNOWN', {
      message: `${digest} is here, but ${missing} below it cannot be had now from any peer or from ${repository.registry}`,
      detail: { digest, missing }
    })
  }

  async #firstMissing (repository: Repository, document: ManifestDocument, signal: AbortSignal | undefined): Promise<Digest | undefined> {
    const below = children(document).filter(descriptor => !descriptor.foreign)
    if (document.type === 'manifest') return this.#firstAbsent(repository, below, signal)
    let missing: Digest | undefined
    for (const descriptor of below) {
      const content = await this.#components.manifests.stored(descriptor.digest)
      const gap = content === undefined ? descriptor.digest : await this.#firstMissing(repository, content.document, signal)
      if (gap === undefined) return undefined
      missing ??= gap
    }
    if (missing === undefined) return undefined
    return this.#firstAbsent(repository, below.slice(0, 1), signal)
  }

  /** The first that is neither here nor with a peer, when the origin does not answer for it either. */
  async #firstAbsent (repository: Repository, descriptors: readonly Descriptor[], signal: AbortSignal | undefined): Promise<Digest | undefined> {
    for (const descriptor of descriptors) {
      if (await this.#components.store.stat(descriptor.digest) !== undefined) continue
      if (await this.#isWithPeer(descriptor, signal)) continue
      return await this.#isAtOrigin(repository, descriptor, signal) ? undefined : descriptor.digest
    }
    return undefined
  }

  async #isWithPeer (descriptor: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
    const kind = isManifestDescriptor(descriptor) ? 'manifest' : 'blob'
    return await findHolder(this.#components, { kind, digest: descriptor.digest }, { patient: true, signal }) !== undefined
  }

  /** One answer speaks for the whole image: the origin is there. */
  async #isAtOrigin (repository: Repository, descriptor: Descriptor, signal: AbortSignal | undefined): Promise<boolean> {
    try {
      if (isManifestDescriptor(descriptor)) await this.#components.origin.resolve(repository, descriptor.digest, { signal })
      else await this.#components.origin.statBlob(repository, descriptor.digest, { signal })
      this.heard(repository.registry, this.#components.now())
      return true
    } catch {
      signal?.throwIfAborted()
      return false
    }
  }
}
