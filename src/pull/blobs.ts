import type { Digest } from '../oci/digest.ts'
import { ociError } from '../oci/oci-error.ts'
import type { Repository } from '../oci/repository.ts'
import type { BlobFetchComponents } from './blob-fetch.ts'
import { BlobFetches, type FetchHold, type FetchStatus } from './blob-fetches.ts'
import { findHolder } from './holder-search.ts'
import { fetchedBlob, storedBlob, type OpenBlob } from './open-blob.ts'
import { abortable } from './shared-work.ts'

/** Looks at the store again after a fetch that ended in between, this often at the most. */
const MAX_ATTEMPTS = 5

export interface BlobsInit {
  /** How long peers may take to say that they hold it before the origin is asked, in milliseconds. @default 200 */
  readonly graceMs?: number
}

/** Blobs by digest: from the store, or from a fetch that all who want the same blob share. */
export class Blobs {
  readonly #components: BlobFetchComponents
  readonly #init: BlobsInit
  readonly #fetches: BlobFetches

  constructor (components: BlobFetchComponents, init: BlobsInit = {}) {
    this.#components = components
    this.#init = init
    this.#fetches = new BlobFetches(components)
  }

  /** Opens a blob; resolves when its first byte may be read. @throws ContentUnavailableError; OciError BLOB_UNKNOWN for a manifest's digest */
  async open (repository: Repository, digest: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<OpenBlob> {
    const found = await this.#openOrJoin(repository, digest, signal)
    if ('stream' in found) return found
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
    const found = await this.#openOrJoin(repository, digest, signal)
    if ('stream' in found) {
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

  /** Size of a blob, without its bytes: from the store, its descriptor and whoever holds it, or the origin. @throws as `open` */
  async stat (repository: Repository, digest: Digest, { signal }: { signal?: AbortSignal } = {}): Promise<{ size: number }> {
    const { store, origin } = this.#components
    const record = await store.stat(digest)
    if (record?.kind === 'blob') return { size: record.size }
    const known = await this.#refuseManifest(digest)
    const holding = await findHolder(this.#components, { kind: 'blob', digest, graceMs: this.#init.graceMs }, { signal })
    if (holding !== undefined) return { size: known?.size ?? holding.size }
    return origin.statBlob(repository, digest, { signal })
  }

  status (): FetchStatus[] {
    return this.#fetches.status()
  }

  async stop (): Promise<void> {
    await this.#fetches.stop()
  }

  async #openOrJoin (repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<OpenBlob | FetchHold> {
    const { store } = this.#components
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const known = await this.#refuseManifest(digest)
      const reader = await store.open(digest, { signal })
      if (reader !== undefined) return storedBlob(reader)
      const hold = await this.#fetches.join(repository, digest, { size: known?.size, graceMs: this.#init.graceMs }, { signal })
      if (hold !== undefined) return hold
    }
    throw ociError('BLOB_UNKNOWN', { message: `${digest} came and went ${MAX_ATTEMPTS} times`, detail: { digest } })
  }

  /** A manifest is never given out as a blob: containerd would store a broken image. */
  async #refuseManifest (digest: Digest): Promise<{ size: number } | undefined> {
    const { store } = this.#components
    const record = await store.stat(digest)
    const known = await store.links.descriptor(digest)
    if (record?.kind === 'manifest' || (record === undefined && known?.kind === 'manifest')) {
      throw ociError('BLOB_UNKNOWN', { message: `${digest} is a manifest, not a blob`, detail: { digest } })
    }
    return known
  }
}
