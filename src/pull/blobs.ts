import type { Holding } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import { ociError } from '../oci/oci-error.ts'
import { repositoryKey, type Repository } from '../oci/repository.ts'
import { ShoalError } from '../errors.ts'
import { BlobFetches, type BlobFetchesComponents, type FetchHold, type FetchStatus } from './blob-fetches.ts'
import { findHolder } from './holder-search.ts'
import { fetchedBlob, storedBlob, type OpenBlob } from './open-blob.ts'
import { abortable } from '../shared-work.ts'
import type { SourceTimes } from './source-order.ts'

/** Looks at the store again after a fetch that ended in between, this often at the most. */
const MAX_ATTEMPTS = 5

/** Blobs by digest: from the store, or from a fetch that all who want the same blob share. */
export class Blobs {
  readonly #components: BlobFetchesComponents
  readonly #times: SourceTimes
  readonly #fetches: BlobFetches

  constructor (components: BlobFetchesComponents, times: SourceTimes = {}) {
    this.#components = components
    this.#times = times
    this.#fetches = new BlobFetches(components)
  }

  /** Opens a blob; resolves when its first byte may be read. @throws ContentUnavailableError; OciError BLOB_UNKNOWN for a manifest's digest */
  async open (repository: Repository, digest: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<OpenBlob> {
    return this.#doubtingSize(digest, async () => this.#open(repository, digest, signal))
  }

  async #open (repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<OpenBlob> {
    const found = await this.#openOrJoin(repository, digest, signal)
    if ('read' in found) return found
    const blob = fetchedBlob(found)
    try {
      await blob.ready(0, { signal })
      // the size may have become known only now
      return fetchedBlob(found)
    } catch (error) {
      found.leave()
      throw error
    }
  }

  /** Brings a blob into the store. */
  async fetch (repository: Repository, digest: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<'store' | 'fetch'> {
    return this.#doubtingSize(digest, async () => this.#fetch(repository, digest, signal))
  }

  async #fetch (repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<'store' | 'fetch'> {
    const found = await this.#openOrJoin(repository, digest, signal)
    if ('read' in found) {
      await found.close()
      return 'store'
    }
    try {
      await abortable(found.fetch.committed, signal)
      return 'fetch'
    } finally {
      found.leave()
    }
  }

  /**
   * Size of a blob, without its bytes: from the store; from its descriptor when a peer holds it; from the origin; and
   * only where that cannot be asked on a peer's mere word.
   * @throws as `open`, and what the origin says
   */
  async stat (repository: Repository, digest: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<{ size: number }> {
    const { store, origin } = this.#components
    const record = await store.stat(digest)
    if (record?.kind === 'blob') return { size: record.size }
    const known = await this.#refuseManifest(repository, digest)
    if (known !== undefined && await this.#holder(digest, signal) !== undefined) return { size: known.size }
    try {
      const { size } = await origin.statBlob(repository, digest, { signal })
      return { size }
    } catch (error) {
      signal?.throwIfAborted()
      const holding = known === undefined ? await this.#holder(digest, signal) : undefined
      if (holding === undefined) throw error
      return { size: holding.size }
    }
  }

  status (): FetchStatus[] {
    return this.#fetches.status()
  }

  async stop (): Promise<void> {
    await this.#fetches.stop()
  }

  /** A descriptor may be wrong about the size: then a fetch that believes nobody finds it out. */
  async #doubtingSize<T> (digest: Digest, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ShoalError) || error.code !== 'SIZE_DISAGREES') throw error
      this.#fetches.doubt(digest)
      return work()
    }
  }

  async #holder (digest: Digest, signal: AbortSignal | undefined): Promise<Holding | undefined> {
    return findHolder(this.#components, { ...this.#times, kind: 'blob', digest }, { signal })
  }

  async #openOrJoin (repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<OpenBlob | FetchHold> {
    const { store } = this.#components
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const known = await this.#refuseManifest(repository, digest)
      const reader = await store.open(digest, { signal })
      if (reader !== undefined) return storedBlob(reader)
      const hold = await this.#fetches.join(repository, digest, { ...this.#times, size: known?.size }, { signal })
      if (hold !== undefined) return hold
    }
    throw ociError('BLOB_UNKNOWN', { message: `${digest} came and went ${MAX_ATTEMPTS} times`, detail: { digest } })
  }

  /** A manifest is never given out as a blob: containerd would store a broken image. */
  async #refuseManifest (repository: Repository, digest: Digest): Promise<{ size: number } | undefined> {
    const { store } = this.#components
    const record = await store.stat(digest)
    const known = await store.links.descriptor(repositoryKey(repository), digest)
    if (record?.kind === 'manifest' || (record === undefined && known?.kind === 'manifest')) {
      throw ociError('BLOB_UNKNOWN', { message: `${digest} is a manifest, not a blob`, detail: { digest } })
    }
    return known
  }
}
