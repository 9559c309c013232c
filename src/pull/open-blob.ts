import { Readable } from 'node:stream'
import type { Digest } from '../oci/digest.ts'
import type { BlobReader, ByteSpan } from '../store/store.ts'
import type { FetchHold } from './blob-fetches.ts'

/** Bytes read from a partial blob at once. */
const CHUNK_BYTES = 256 * 1024
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
  stream (span?: ByteSpan): Readable
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
    stream: span => reader.stream(span),
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
    stream: ({ start, end }: ByteSpan = { start: 0, end: fetch.size ?? Infinity }) => {
      const left = new AbortController()
      let position = start
      return new Readable({
        highWaterMark: CHUNK_BYTES,
        read () {
          const length = Math.min(CHUNK_BYTES, end - position)
          if (length <= 0) {
            this.push(null)
            return
          }
          const buffer = Buffer.allocUnsafeSlow(length)
          fetch.read(buffer, position, { signal: left.signal }).then(read => {
            position += read
            this.push(read === 0 ? null : buffer.subarray(0, read))
          }, (error: unknown) => { this.destroy(error as Error) })
        },
        destroy (error, done) {
          left.abort()
          done(error)
        }
      })
    },
    close: async () => { leave() }
  }
}
