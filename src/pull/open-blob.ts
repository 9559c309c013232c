import type { Digest } from '../oci/digest.ts'
import type { BlobReader } from '../store/store.ts'
import type { FetchHold } from './blob-fetches.ts'

const NOTHING = new Uint8Array(0)

/** A blob that can be read, whether it is here or still on its way. Close it. */
export interface OpenBlob {
  readonly digest: Digest
  /** Undefined when an origin sends no length. */
  readonly size: number | undefined
  /** `store`: it was here. `fetch`: it comes while it is read. */
  readonly from: 'store' | 'fetch'
  /** Waits until the byte at `position` may be read, or the blob ends before it. @throws what ended the fetch */
  ready (position: number, options?: { signal?: AbortSignal }): Promise<void>
  /** Up to `buffer.length` bytes from `position`, as soon as there is one; 0 at the end of the blob. @throws as `ready` */
  read (buffer: Uint8Array, position: number, options?: { signal?: AbortSignal }): Promise<number>
  close (): Promise<void>
}

/** A blob from the store. */
export function storedBlob (reader: BlobReader): OpenBlob {
  const { digest, size } = reader.record
  return {
    digest,
    size,
    from: 'store',
    ready: async () => {},
    read: (buffer, position) => reader.read(buffer, position),
    close: () => reader.close()
  }
}

/** A blob that is being fetched; closing it leaves the fetch. */
export function fetchedBlob ({ fetch, leave }: FetchHold): OpenBlob {
  return {
    digest: fetch.digest,
    size: fetch.size,
    from: 'fetch',
    ready: async (position, options) => { await fetch.read(NOTHING, position, options) },
    read: (buffer, position, options) => fetch.read(buffer, position, options),
    close: async () => { leave() }
  }
}
