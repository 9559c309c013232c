import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import type { Access, BlobFacts, Evidence, PartialBlob, SourcedSpan, SpanSource, Store } from '../store/store.ts'
import { ReaderPace } from './reader-pace.ts'
import { releasableEdge, trustedEdge } from './release.ts'
import { abortable } from '../shared-work.ts'

export interface IncomingBlobInit {
  /** Bytes, when a manifest has told. */
  readonly size?: number
}

/**
 * A blob on its way in, as readers see it. Owns the partial blob, says how far clients may read, and never changes a byte
 * that one of them was given. Written to by `BlobIntake`; knows nothing of where bytes come from.
 */
export class IncomingBlob {
  readonly digest: Digest
  readonly #store: Store
  readonly #pace = new ReaderPace()
  #expectedSize: number | undefined
  #partial: PartialBlob | undefined
  #edge = 0
  #released = 0
  /** While the partial is being cut: nothing from here on is given out any more. */
  #ceiling = Infinity
  #isWithheld = false
  #isVerified = false
  #failure: { readonly error: unknown } | undefined
  #change = Promise.withResolvers<void>()

  constructor (store: Store, digest: Digest, init: IncomingBlobInit = {}) {
    this.#store = store
    this.digest = digest
    this.#expectedSize = init.size
  }

  /** Bytes in all; undefined until a manifest or an origin has told, or the whole is here and right. */
  get size (): number | undefined {
    return this.#partial?.size ?? this.#expectedSize ?? (this.#isVerified ? this.#edge : undefined)
  }

  /** Bytes that are here or on their way to the disk. */
  get edge (): number {
    return this.#edge
  }

  /** Bytes from 0 that a reader was given, or was told of, before the whole was verified. They cannot be taken back. */
  get released (): number {
    return this.#released
  }

  get spans (): readonly SourcedSpan[] {
    return this.#partial?.spans ?? []
  }

  /** Who may have what is here, as it was noted. */
  get access (): Access | undefined {
    return this.#partial?.access
  }

  noteAccess (access: Access): void {
    this.#partial?.noteAccess(access)
  }

  get sources (): readonly SpanSource[] {
    return [...new Set(this.spans.map(span => span.source))]
  }

  get isVerified (): boolean {
    return this.#isVerified
  }

  get hasFailed (): boolean {
    return this.#failure !== undefined
  }

  /** Takes up what was kept of an earlier fetch, unless that believed in another size. @throws what `Store.openPartial` throws */
  async open (): Promise<void> {
    const size = this.#expectedSize
    let partial = await this.#store.openPartial(this.digest)
    this.#partial = partial
    if (size !== undefined && (partial.edge > size || (partial.size ?? size) !== size)) {
      await partial.discard()
      partial = await this.#store.openPartial(this.digest)
      this.#partial = partial
    }
    this.#edge = partial.edge
    partial.onEdge = () => { this.#notify() }
    if (size !== undefined && partial.size === undefined) await partial.setSize(size)
    this.#notify()
  }

  /**
   * Up to `buffer.length` bytes from `position`, as soon as one may be released; 0 at the end of the blob.
   * An empty buffer only waits.
   */
  async read (buffer: Uint8Array, position: number, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error
      const partial = this.#partial
      const room = partial === undefined ? 0 : this.#releasable(partial) - position
      if (partial !== undefined && room > 0) {
        const length = Math.min(buffer.length, room)
        if (!this.#isVerified) this.#released = Math.max(this.#released, position + Math.max(length, 1))
        this.#pace.gave(position + length)
        return length === 0 ? 0 : partial.read(buffer.subarray(0, length), position)
      }
      if (this.#isVerified) return 0
      await abortable(this.#change.promise, signal)
    }
  }

  async setSize (size: number): Promise<void> {
    await this.#open().setSize(size)
    this.#notify()
  }

  /** Takes its time when readers have enough for now. @throws PartialSizeError past the size, and what the store throws */
  async append (chunk: Uint8Array, source: SpanSource): Promise<void> {
    const partial = this.#open()
    await partial.append(chunk, source)
    this.#edge += chunk.length
    if (this.#pace.isDue(this.#edge)) await this.#pace.wait(this.#releasable(partial))
  }

  /** End of the bytes from 0 that came straight from the origin. */
  async trusted (): Promise<number> {
    await this.#open().flush()
    return trustedEdge(this.spans)
  }

  /** Drops all that did not come straight from the origin. */
  async truncateToTrusted (): Promise<void> {
    await this.truncate(await this.trusted())
  }

  /** Drops what lies at and beyond `edge`; never less than `released`. */
  async truncate (edge: number): Promise<void> {
    if (edge < this.#released) throw new RangeError(`${this.digest} was released up to ${this.#released}, it cannot be cut at ${edge}`)
    this.#ceiling = edge
    try {
      await this.#open().truncate(edge)
      this.#edge = edge
    } finally {
      this.#ceiling = Infinity
    }
  }

  /** Throws all away, also what was believed of the size; readers get nothing more until the whole is right. */
  async startOver (): Promise<void> {
    if (this.#released > 0) throw new RangeError(`${this.digest} was released up to ${this.#released}, it cannot start over`)
    this.#isWithheld = true
    this.#expectedSize = undefined
    await this.#open().discard()
    await this.open()
  }

  /** @throws DigestMismatchError, PartialSizeError */
  async verify (options: { signal?: AbortSignal }): Promise<void> {
    await this.#open().verify(options)
    this.#isVerified = true
    this.#notify()
  }

  /** Keeps a copy of the wrong bytes. */
  async setAside (): Promise<Evidence> {
    return this.#open().setAside()
  }

  async commit (facts: BlobFacts): Promise<void> {
    await this.#open().commit(facts)
  }

  /** Readers get this error from now on. */
  fail (error: unknown): void {
    this.#failure = { error }
    this.#notify()
  }

  /** Lets go of the partial; its bytes are kept for a later fetch if they are worth it. */
  async close ({ keep }: { keep: boolean }): Promise<void> {
    if (keep) await this.#partial?.close()
    else await this.#partial?.discard()
  }

  #releasable (partial: PartialBlob): number {
    if (this.#isWithheld && !this.#isVerified) return 0
    const { spans, edge, size } = partial
    return Math.min(this.#ceiling, releasableEdge({ spans, edge, size, isVerified: this.#isVerified }))
  }

  #open (): PartialBlob {
    if (this.#partial === undefined) throw new TypeError(`the partial of ${this.digest} is not open`)
    return this.#partial
  }

  #notify (): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }
}

/** Whether the bytes or the size a source gave do not fit what is known; all else that writing throws is the store's fault. */
export function isSizeConflict (error: unknown): boolean {
  return error instanceof ShoalError && error.code === 'PARTIAL_SIZE'
}
