import { createHash } from 'node:crypto'
import { digestAlgorithm, digestOf, type Digest } from '../oci/digest.ts'
import { checkSpan, confirmedSpan } from './blob-span.ts'
import { ConfirmedSpans } from './confirmed-spans.ts'
import { SourceSpans } from './source-spans.ts'
import { findWrongSources } from './span-compare.ts'
import { DigestMismatchError, NotVerifiedError, PartialSizeError, StoreClosedError } from './store-errors.ts'
import type { Access, BlobFacts, BlobReader, BlobRecord, ByteSpan, ConfirmedSpan, Evidence, PartialBlob, SourcedSpan, SpanSource } from './store.ts'

const FIRST_CAPACITY_BYTES = 64 * 1024

/** What a partial in memory leaves behind for the next `openPartial`. */
export class MemoryPartialContent {
  size: number | undefined
  access: Access | undefined
  buffer = new Uint8Array(FIRST_CAPACITY_BYTES)
  readonly spans = new SourceSpans()
  readonly confirmed = new ConfirmedSpans()

  /** Nobody has it open any more: what a partial on disk would forget is forgotten here too. */
  settle (): void {
    const kept = new SourceSpans()
    kept.add(0, this.spans.edge, 'origin')
    for (const { start, end } of this.confirmed.all) {
      for (const gap of kept.missing(start, end)) kept.add(gap.start, gap.end, 'origin')
    }
    for (const { start, end } of kept.missing(0, this.spans.end)) this.spans.delete(start, end)
  }
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
  onReadable: ((start: number, end: number) => void) | undefined
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
    return this.#content.spans.edge
  }

  get spans (): readonly SourcedSpan[] {
    return this.#content.spans.all
  }

  get confirmed (): readonly ConfirmedSpan[] {
    return this.#content.confirmed.all
  }

  get access (): Access | undefined {
    return this.#content.access
  }

  noteAccess (access: Access): void {
    this.#assertOpen()
    this.#content.access = access
  }

  has ({ start, end }: ByteSpan): boolean {
    return this.#content.spans.has(start, end)
  }

  async setSize (size: number): Promise<void> {
    this.#assertOpen()
    const { size: known, spans: { end } } = this.#content
    if (known !== undefined && known !== size) throw new PartialSizeError(this.digest, known, size)
    if (end > size) throw new PartialSizeError(this.digest, size, end)
    this.#content.size = size
  }

  async append (chunk: Uint8Array, source: SpanSource): Promise<void> {
    this.tryWrite(this.edge, chunk, source)
  }

  async write (position: number, chunk: Uint8Array, source: SpanSource): Promise<void> {
    this.tryWrite(position, chunk, source)
  }

  tryWrite (position: number, chunk: Uint8Array, source: SpanSource): boolean {
    this.#assertOpen()
    const end = position + chunk.length
    const { edge } = this
    if (this.size !== undefined && end > this.size) throw new PartialSizeError(this.digest, this.size, end)
    if (this.#content.spans.overlaps(position, end)) throw new RangeError(`bytes of ${position} to ${end} are here already`)
    if (chunk.length === 0) return true
    this.#grow(end)
    this.#content.buffer.set(chunk, position)
    this.#content.spans.add(position, end, source)
    this.#isVerified = false
    this.onReadable?.(position, end)
    if (this.edge > edge) this.onEdge?.(this.edge)
    return true
  }

  async flush (): Promise<void> {
    this.#assertOpen()
  }

  async hash (span: ByteSpan, options: { signal?: AbortSignal } = {}): Promise<string> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const { start, end } = checkSpan(span, this.#content.spans.end)
    if (!this.has(span)) throw new RangeError(`bytes of ${start} to ${end} are missing`)
    return createHash('sha256').update(this.#content.buffer.subarray(start, end)).digest('hex')
  }

  confirm (span: ByteSpan, sha256: string, note?: string): void {
    this.#assertOpen()
    this.#content.confirmed.add(confirmedSpan(span, sha256, note, this.#content.spans))
  }

  async erase (span: ByteSpan): Promise<void> {
    this.#assertOpen()
    const { start, end } = checkSpan(span, Number.MAX_SAFE_INTEGER)
    if (this.#content.spans.overlaps(start, end)) this.#forget(start, end)
  }

  async truncate (edge: number): Promise<void> {
    this.#assertOpen()
    if (edge < this.#content.spans.end) this.#forget(edge, Infinity)
  }

  async read (buffer: Uint8Array, position: number): Promise<number> {
    if (this.#state === 'closed') throw new StoreClosedError(`partial ${this.digest}`)
    const bytes = this.#content.buffer.subarray(position, this.#content.spans.runEnd(position, position + buffer.length))
    buffer.set(bytes)
    return bytes.length
  }

  async verify (options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const size = this.size ?? this.#content.spans.end
    if (size !== this.edge) throw new PartialSizeError(this.digest, size, this.edge)
    const actual = digestOf(this.#bytes(), digestAlgorithm(this.digest))
    if (actual !== this.digest) throw new DigestMismatchError(this.digest, actual)
    this.#isVerified = true
  }

  async commit (facts: BlobFacts): Promise<BlobRecord> {
    this.#assertOpen()
    if (!this.#isVerified) throw new NotVerifiedError(this.digest)
    this.#state = 'committed'
    return this.#owner.commit(new Uint8Array(this.#bytes()), facts)
  }

  async setAside (): Promise<Evidence> {
    this.#assertOpen()
    return new MemoryEvidence(new Uint8Array(this.#bytes()), this.spans)
  }

  async close (): Promise<void> {
    if (this.#state === 'open') {
      this.#content.settle()
      this.#owner.close()
    }
    this.#state = 'closed'
  }

  async discard (): Promise<void> {
    if (this.#state === 'open') this.#owner.discard()
    this.#state = 'closed'
  }

  #forget (start: number, end: number): void {
    this.#content.spans.delete(start, end)
    this.#content.confirmed.delete(start, end)
    this.#isVerified = false
  }

  /** With nothing meaningful in the gaps. */
  #bytes (): Uint8Array {
    return this.#content.buffer.subarray(0, this.#content.spans.end)
  }

  #grow (capacity: number): void {
    if (capacity <= this.#content.buffer.length) return
    const grown = new Uint8Array(Math.max(capacity, this.#content.buffer.length * 2))
    // what lies in gaps takes no memory while nobody touches it
    for (const { start, end } of this.spans) grown.set(this.#content.buffer.subarray(start, end), start)
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
