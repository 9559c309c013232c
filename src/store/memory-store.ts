import type { EventSink } from '../events.ts'
import { digestAlgorithm, digestOf, type Digest } from '../oci/digest.ts'
import { MemoryBlobReader } from './memory-blob-reader.ts'
import { MemoryLinks } from './memory-links.ts'
import { MemoryPartial, MemoryPartialContent } from './memory-partial.ts'
import { DigestMismatchError, PartialInUseError, StoreClosedError } from './store-errors.ts'
import type { Access, BlobFacts, BlobReader, BlobRecord, Links, PartialBlob, Store, StoreUsage } from './store.ts'

export interface MemoryStoreInit {
  /** Where commits and removals are told. @default nowhere */
  readonly events?: EventSink
  /** Milliseconds since the epoch. @default Date.now */
  readonly now?: () => number
}

/** A store for tests and for agents without a disk: all of the contract, nothing survives the process. */
export class MemoryStore implements Store {
  readonly links: Links = new MemoryLinks()
  readonly #blobs = new Map<Digest, { record: BlobRecord, bytes: Uint8Array }>()
  readonly #partials = new Map<Digest, MemoryPartialContent>()
  readonly #openPartials = new Map<Digest, MemoryPartial>()
  readonly #events: EventSink | undefined
  readonly #now: () => number
  #isClosed = false

  constructor (init: MemoryStoreInit = {}) {
    this.#events = init.events
    this.#now = init.now ?? Date.now
  }

  async stat (digest: Digest): Promise<BlobRecord | undefined> {
    this.#assertOpen()
    return this.#blobs.get(digest)?.record
  }

  async open (digest: Digest, options: { signal?: AbortSignal } = {}): Promise<BlobReader | undefined> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const blob = this.#blobs.get(digest)
    return blob === undefined ? undefined : new MemoryBlobReader(blob.record, blob.bytes)
  }

  async put (digest: Digest, bytes: Uint8Array, facts: BlobFacts): Promise<BlobRecord> {
    this.#assertOpen()
    const actual = digestOf(bytes, digestAlgorithm(digest))
    if (actual !== digest) throw new DigestMismatchError(digest, actual)
    return this.#commit(digest, new Uint8Array(bytes), facts)
  }

  async setAccess (digest: Digest, access: Access): Promise<void> {
    this.#assertOpen()
    const blob = this.#blobs.get(digest)
    if (blob !== undefined) blob.record = { ...blob.record, access }
  }

  async remove (digest: Digest): Promise<boolean> {
    this.#assertOpen()
    const blob = this.#blobs.get(digest)
    if (blob === undefined) return false
    this.#blobs.delete(digest)
    this.#events?.emit({ type: 'blob:removed', record: blob.record })
    return true
  }

  async * records (): AsyncIterable<BlobRecord> {
    this.#assertOpen()
    for (const blob of this.#blobs.values()) yield blob.record
  }

  async openPartial (digest: Digest, options: { signal?: AbortSignal } = {}): Promise<PartialBlob> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    if (this.#openPartials.has(digest)) throw new PartialInUseError(digest)
    const content = this.#partials.get(digest) ?? new MemoryPartialContent()
    this.#partials.set(digest, content)
    const partial = new MemoryPartial(digest, content, {
      commit: async (bytes, facts) => {
        this.#forgetPartial(digest)
        return this.#commit(digest, bytes, facts)
      },
      close: () => { this.#openPartials.delete(digest) },
      discard: () => { this.#forgetPartial(digest) }
    })
    this.#openPartials.set(digest, partial)
    return partial
  }

  async usage (): Promise<StoreUsage> {
    this.#assertOpen()
    let bytes = 0
    let partials = 0
    let partialBytes = 0
    for (const blob of this.#blobs.values()) bytes += blob.record.size
    for (const { spans } of this.#partials.values()) {
      if (spans.end === 0) continue
      partials++
      for (const { start, end } of spans.all) partialBytes += end - start
    }
    return { blobs: this.#blobs.size, bytes, partials, partialBytes }
  }

  async close (): Promise<void> {
    for (const partial of this.#openPartials.values()) await partial.close()
    this.#isClosed = true
  }

  #commit (digest: Digest, bytes: Uint8Array, facts: BlobFacts): BlobRecord {
    const { kind, access, mediaType } = facts
    const record: BlobRecord = { digest, size: bytes.length, committedAt: this.#now(), kind, access, ...mediaType !== undefined && { mediaType } }
    this.#blobs.set(digest, { record, bytes })
    this.#events?.emit({ type: 'blob:committed', record })
    return record
  }

  #forgetPartial (digest: Digest): void {
    this.#openPartials.delete(digest)
    this.#partials.delete(digest)
  }

  #assertOpen (): void {
    if (this.#isClosed) throw new StoreClosedError('store')
  }
}
