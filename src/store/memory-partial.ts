import { digestAlgorithm, digestOf, type Digest } from '../oci/digest.ts'
import { SourceSpans } from './source-spans.ts'
import { findWrongSources } from './span-compare.ts'
import { DigestMismatchError, NotVerifiedError, PartialSizeError, StoreClosedError } from './store-errors.ts'
import type { BlobFacts, BlobReader, BlobRecord, Evidence, PartialBlob, SourcedSpan, SpanSource } from './store.ts'

const FIRST_CAPACITY_BYTES = 64 * 1024

/** What a partial in memory leaves behind for the next `openPartial`. */
export class MemoryPartialContent {
  size: number | undefined
  buffer = new Uint8Array(FIRST_CAPACITY_BYTES)
  spans = new SourceSpans()
}

/** What a partial asks of its store. */
export interface MemoryPartialOwner {
  commit (bytes: Uint8Array, facts: BlobFacts): Promise<BlobRecord>
  close (): void
  discard (): void
}

/** A partial blob in memory. */
export class MemoryPartial implements PartialBlob {
  readonly digest: Digest
  onEdge: ((edge: number) => void) | undefined
  readonly #content: MemoryPartialContent
  readonly #owner: MemoryPartialOwner
  #isVerified = false
  #state: 'open' | 'committed' | 'closed' = 'open'

  constructor (digest: Digest, content: MemoryPartialContent, owner: MemoryPartialOwner) {
    this.digest = digest
    this.#content = content
    this.#owner = owner
  }

  get size (): number | undefined {
    return this.#content.size
  }

  get edge (): number {
    return this.#content.spans.end
  }

  get spans (): readonly SourcedSpan[] {
    return this.#content.spans.slice(0, this.edge)
  }

  async setSize (size: number): Promise<void> {
    this.#assertOpen()
    const known = this.#content.size
    if (known !== undefined && known !== size) throw new PartialSizeError(this.digest, known, size)
    if (this.edge > size) throw new PartialSizeError(this.digest, size, this.edge)
    this.#content.size = size
  }

  async append (chunk: Uint8Array, source: SpanSource): Promise<void> {
    this.#assertOpen()
    const start = this.edge
    const end = start + chunk.length
    if (this.size !== undefined && end > this.size) throw new PartialSizeError(this.digest, this.size, end)
    this.#grow(end)
    this.#content.buffer.set(chunk, start)
    this.#content.spans.append(chunk.length, source)
    this.#isVerified = false
    if (chunk.length > 0) this.onEdge?.(end)
  }

  async flush (): Promise<void> {
    this.#assertOpen()
  }

  async truncate (edge: number): Promise<void> {
    this.#assertOpen()
    this.#content.spans.truncate(edge)
    this.#isVerified = false
  }

  async read (buffer: Uint8Array, position: number): Promise<number> {
    if (this.#state === 'closed') throw new StoreClosedError(`partial ${this.digest}`)
    const bytes = this.#bytes().subarray(position, position + buffer.length)
    buffer.set(bytes)
    return bytes.length
  }

  async verify (options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    if (this.size !== undefined && this.size !== this.edge) throw new PartialSizeError(this.digest, this.size, this.edge)
    const actual = digestOf(this.#bytes(), digestAlgorithm(this.digest))
    if (actual !== this.digest) throw new DigestMismatchError(this.digest, actual)
    this.#isVerified = true
  }

  async commit (facts: BlobFacts): Promise<BlobRecord> {
    this.#assertOpen()
    if (!this.#isVerified) throw new NotVerifiedError(this.digest)
    this.#state = 'committed'
    return this.#owner.commit(this.#bytes().slice(), facts)
  }

  async setAside (): Promise<Evidence> {
    this.#assertOpen()
    return new MemoryEvidence(this.#bytes().slice(), this.spans)
  }

  async close (): Promise<void> {
    if (this.#state === 'open') this.#owner.close()
    this.#state = 'closed'
  }

  async discard (): Promise<void> {
    if (this.#state === 'open') this.#owner.discard()
    this.#state = 'closed'
  }

  #bytes (): Uint8Array {
    return this.#content.buffer.subarray(0, this.edge)
  }

  #grow (capacity: number): void {
    if (capacity <= this.#content.buffer.length) return
    const grown = new Uint8Array(Math.max(capacity, this.#content.buffer.length * 2))
    grown.set(this.#bytes())
    this.#content.buffer = grown
  }

  #assertOpen (): void {
    if (this.#state !== 'open') throw new StoreClosedError(`partial ${this.digest}`)
  }
}

class MemoryEvidence implements Evidence {
  readonly spans: readonly SourcedSpan[]
  #bytes: Uint8Array

  constructor (bytes: Uint8Array, spans: readonly SourcedSpan[]) {
    this.#bytes = bytes
    this.spans = spans
  }

  async compare (right: BlobReader, options: { signal?: AbortSignal } = {}): Promise<SpanSource[]> {
    return findWrongSources(this.spans, async (buffer, position) => {
      const bytes = this.#bytes.subarray(position, position + buffer.length)
      buffer.set(bytes)
      return bytes.length
    }, right, options.signal)
  }

  async discard (): Promise<void> {
    this.#bytes = new Uint8Array(0)
  }
}
