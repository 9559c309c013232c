import type { ContentKind, SharedContent, SharedReader } from './peers.ts'
import type { Digest } from '../oci/digest.ts'

interface OpenContent {
  readonly kind: ContentKind
  readonly digest: Digest
  readonly reader: SharedReader
}

/**
 * What one conversation reads, kept open between its requests: consecutive reads of one blob go on with one stream of
 * the store, so the disk sees one sequential read however small the requests. Owned by one conversation; close it.
 */
export class SharedCursor {
  readonly #content: SharedContent
  readonly #signal: AbortSignal
  #open: OpenContent | undefined
  #chunks: AsyncIterator<Uint8Array> | undefined
  #left: Uint8Array | undefined
  #position = 0

  constructor (content: SharedContent, signal: AbortSignal) {
    this.#content = content
    this.#signal = signal
  }

  /** @returns undefined when it is missing. @throws ContentDeniedError */
  async open (kind: ContentKind, digest: Digest): Promise<{ size: number, restricted: boolean } | undefined> {
    if (this.#open?.kind !== kind || this.#open.digest !== digest) {
      await this.close()
      const reader = await this.#content.open(kind, digest)
      if (reader === undefined) return undefined
      this.#open = { kind, digest, reader }
    }
    return this.#open.reader
  }

  /** The bytes of what is open from `start`, `length` in all, in chunks of at most `maxChunkBytes`. */
  async * read (start: number, length: number, maxChunkBytes: number): AsyncGenerator<Uint8Array> {
    if (this.#chunks === undefined || start !== this.#position) await this.#seek(start)
    const end = start + length
    while (this.#position < end) {
      const chunk = this.#left ?? await this.#next()
      const taken = chunk.subarray(0, Math.min(maxChunkBytes, end - this.#position))
      this.#left = taken.byteLength < chunk.byteLength ? chunk.subarray(taken.byteLength) : undefined
      this.#position += taken.byteLength
      yield taken
    }
  }

  async close (): Promise<void> {
    await this.#endChunks()
    const open = this.#open
    this.#open = undefined
    await open?.reader.close()
  }

  async #seek (start: number): Promise<void> {
    await this.#endChunks()
    const reader = this.#open?.reader
    if (reader === undefined) throw new TypeError('nothing is open')
    this.#position = start
    this.#chunks = reader.stream({ start, end: reader.size }, { signal: this.#signal })[Symbol.asyncIterator]()
  }

  async #next (): Promise<Uint8Array> {
    const next = await this.#chunks?.next()
    if (next === undefined || next.done === true) throw new RangeError(`content ended at ${this.#position}, before its size`)
    return next.value
  }

  async #endChunks (): Promise<void> {
    const chunks = this.#chunks
    this.#chunks = undefined
    this.#left = undefined
    await chunks?.return?.()
  }
}
