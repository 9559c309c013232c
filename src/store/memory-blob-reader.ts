import { createHash } from 'node:crypto'
import { addAbortSignal, Readable } from 'node:stream'
import { digestAlgorithm, digestOf } from '../oci/digest.ts'
import { checkSpan } from './blob-span.ts'
import { StoreClosedError } from './store-errors.ts'
import type { BlobReader, BlobRecord, ByteSpan } from './store.ts'

const CHUNK_BYTES = 512 * 1024

/** Reads a blob that lies in memory. */
export class MemoryBlobReader implements BlobReader {
  readonly record: BlobRecord
  readonly #bytes: Uint8Array
  #isClosed = false

  constructor (record: BlobRecord, bytes: Uint8Array) {
    this.record = record
    this.#bytes = bytes
  }

  async read (buffer: Uint8Array, position: number): Promise<number> {
    this.#assertOpen()
    const part = this.#bytes.subarray(position, position + buffer.length)
    buffer.set(part)
    return part.length
  }

  stream (span?: ByteSpan, options: { signal?: AbortSignal } = {}): Readable {
    this.#assertOpen()
    const { start, end } = checkSpan(span, this.#bytes.length)
    const stream = Readable.from(chunksOf(this.#bytes.subarray(start, end)), { objectMode: false, highWaterMark: CHUNK_BYTES })
    return options.signal === undefined ? stream : addAbortSignal(options.signal, stream)
  }

  async hash (span: ByteSpan): Promise<string> {
    this.#assertOpen()
    const { start, end } = checkSpan(span, this.#bytes.length)
    return createHash('sha256').update(this.#bytes.subarray(start, end)).digest('hex')
  }

  async verify (): Promise<boolean> {
    this.#assertOpen()
    return digestOf(this.#bytes, digestAlgorithm(this.record.digest)) === this.record.digest
  }

  async bytes (options: { signal?: AbortSignal } = {}): Promise<Uint8Array> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    return new Uint8Array(this.#bytes)
  }

  async close (): Promise<void> {
    this.#isClosed = true
  }

  #assertOpen (): void {
    if (this.#isClosed) throw new StoreClosedError(`reader of ${this.record.digest}`)
  }
}

function * chunksOf (bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES) {
    yield Buffer.from(bytes.slice(start, start + CHUNK_BYTES))
  }
}
