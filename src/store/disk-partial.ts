import { digestAlgorithm, type Digest } from '../oci/digest.ts'
import type { BlockPool } from './block-pool.ts'
import { DiskEvidence } from './disk-evidence.ts'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'
import type { HashPool } from './hash-pool.ts'
import type { JournalFile } from './journal-file.ts'
import type { PartialFileHandle } from './partial-file.ts'
import type { PartialHash } from './partial-hash.ts'
import type { SourceSpans } from './source-spans.ts'
import { DigestMismatchError, NotVerifiedError, PartialSizeError, StoreClosedError } from './store-errors.ts'
import type { BlobFacts, BlobRecord, PartialBlob, SourcedSpan, SpanSource } from './store.ts'
import { Turns } from './turns.ts'
import { WriteCombiner } from './write-combiner.ts'
import { withSignal } from './with-signal.ts'

/** What a partial asks of its store. */
export interface DiskPartialOwner {
  readonly hashes: HashPool
  readonly blocks: BlockPool
  /** All evidence that was not discarded yet. */
  readonly evidence: Set<DiskEvidence>
  /** A new name for a file that means nothing after a restart. */
  temporary (): string
  /** Moves the verified, synced file into place and records it. */
  commit (facts: BlobFacts, size: number): Promise<BlobRecord>
  /** The bytes are no longer wanted under the partial's name. */
  removeFiles (): Promise<void>
  /** The digest may be opened again. */
  released (): void
  /** Its file is closed. */
  closed (partial: DiskPartial): void
}

/** What was found of the partial when it was opened. */
export interface DiskPartialState {
  readonly file: PartialFileHandle
  readonly journal: JournalFile
  readonly hash: PartialHash
  readonly spans: SourceSpans
  readonly size: number | undefined
}

/**
 * A partial blob on disk. Appends, cuts and commits take turns; reads do not wait for them. Invariant: the file holds exactly the bytes
 * that `#spans` tells of, up to the combiner's edge; `#journaled` blocks are in the journal.
 */
export class DiskPartial implements PartialBlob {
  readonly digest: Digest
  onEdge: ((edge: number) => void) | undefined
  readonly #owner: DiskPartialOwner
  readonly #file: PartialFileHandle
  readonly #journal: JournalFile
  readonly #hash: PartialHash
  readonly #spans: SourceSpans
  readonly #writer: WriteCombiner
  readonly #turns = new Turns()
  #size: number | undefined
  #journaled: number
  #isVerified = false
  #state: 'open' | 'committed' | 'closed' = 'open'

  constructor (digest: Digest, owner: DiskPartialOwner, state: DiskPartialState) {
    this.digest = digest
    this.#owner = owner
    this.#file = state.file
    this.#journal = state.journal
    this.#hash = state.hash
    this.#spans = state.spans
    this.#size = state.size
    this.#journaled = Math.floor(state.spans.end / HASH_BLOCK_BYTES)
    this.#writer = new WriteCombiner({
      blocks: owner.blocks,
      write: (bytes, position) => this.#file.write(bytes, position),
      onWritten: edge => { this.#written(edge) },
      onFailed: edge => this.#writeFailed(edge)
    }, state.spans.end)
  }

  get size (): number | undefined {
    return this.#size
  }

  get edge (): number {
    return this.#writer.edge
  }

  get spans (): readonly SourcedSpan[] {
    return this.#spans.slice(0, this.edge)
  }

  async setSize (size: number): Promise<void> {
    this.#assertOpen()
    if (this.#size === size) return
    if (this.#size !== undefined) throw new PartialSizeError(this.digest, this.#size, size)
    if (this.#spans.end > size) throw new PartialSizeError(this.digest, size, this.#spans.end)
    this.#size = size
    this.#journal.append({ size })
  }

  async append (chunk: Uint8Array, source: SpanSource): Promise<void> {
    // as it nearly always is: without the promises of a turn
    if (this.#turns.isIdle && this.#writer.failure === undefined) {
      this.#admit(chunk, source)
      if (chunk.length === 0 || this.#writer.tryAppend(chunk)) return
      return this.#turns.run(async () => this.#writer.append(chunk))
    }
    await this.#turns.run(async () => {
      this.#assertOpen()
      if (this.#writer.failure !== undefined) throw this.#writer.failure
      this.#admit(chunk, source)
      if (chunk.length > 0) await this.#writer.append(chunk)
    })
  }

  async flush (): Promise<void> {
    await this.#turns.run(async () => {
      this.#assertOpen()
      await this.#writer.drain()
    })
  }

  async truncate (edge: number): Promise<void> {
    await this.#turns.run(async () => {
      this.#assertOpen()
      await this.#settle()
      if (edge >= this.edge && this.#writer.failure === undefined) return
      const kept = Math.min(edge, this.edge)
      this.#isVerified = false
      this.#hash.truncated(kept)
      if (kept < this.edge) {
        // Told before it is done: a kill in between cuts once more.
        this.#journal.append({ truncate: kept })
        await this.#journal.flush()
      }
      // The thread has the old file open.
      if (await this.#file.truncate(kept, this.#owner.temporary())) this.#hash.stop()
      this.#journaled = Math.min(this.#journaled, Math.floor(kept / HASH_BLOCK_BYTES))
      this.#spans.truncate(kept)
      this.#writer.reset(kept)
    })
  }

  async read (buffer: Uint8Array, position: number): Promise<number> {
    if (this.#state === 'closed') throw new StoreClosedError(`partial ${this.digest}`)
    const length = Math.min(buffer.length, this.edge - position)
    if (length <= 0) return 0
    return this.#writer.copyRecent(buffer.subarray(0, length), position) || this.#file.read(buffer, length, position)
  }

  async verify (options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    await withSignal(this.#turns.run(async () => {
      this.#assertOpen()
      await this.#writer.drain()
      if (this.#size !== undefined && this.#size !== this.edge) throw new PartialSizeError(this.digest, this.#size, this.edge)
      const actual = `${digestAlgorithm(this.digest)}:${await this.#hash.finish(this.edge)}` as Digest
      if (actual !== this.digest) throw new DigestMismatchError(this.digest, actual)
      this.#isVerified = true
    }), options.signal)
  }

  async commit (facts: BlobFacts): Promise<BlobRecord> {
    return this.#turns.run(async () => {
      this.#assertOpen()
      if (!this.#isVerified) throw new NotVerifiedError(this.digest)
      await this.#file.sync()
      this.#journal.append({ commit: facts, size: this.edge })
      await this.#journal.sync()
      const record = await this.#owner.commit(facts, this.edge)
      this.#state = 'committed'
      await this.#letGo()
      return record
    })
  }

  async setAside (): Promise<DiskEvidence> {
    return this.#turns.run(async () => {
      this.#assertOpen()
      await this.#writer.drain()
      const evidence = await DiskEvidence.keep(this.#file.path, this.#owner.temporary(), this.spans, this.#owner.evidence)
      this.#file.share()
      return evidence
    })
  }

  async close (): Promise<void> {
    await this.#turns.run(async () => {
      if (this.#state !== 'open') return this.#closeFile()
      await this.#settle()
      await this.#journalTail()
      await this.#leave({ keep: this.edge > 0 })
    })
  }

  async discard (): Promise<void> {
    await this.#turns.run(async () => {
      if (this.#state !== 'open') return this.#closeFile()
      await this.#settle()
      await this.#leave({ keep: false })
    })
  }

  /** @throws PartialSizeError */
  #admit ({ length }: Uint8Array, source: SpanSource): void {
    this.#assertOpen()
    const end = this.#spans.end + length
    if (this.#size !== undefined && end > this.#size) throw new PartialSizeError(this.digest, this.#size, end)
    if (length === 0) return
    this.#isVerified = false
    this.#spans.append(length, source)
  }

  #written (edge: number): void {
    this.#hash.advance(edge)
    this.#file.written(edge)
    try {
      this.onEdge?.(edge)
    } catch (error) {
      // A listener's fault is not the disk's.
      queueMicrotask(() => { throw error })
    }
  }

  /** A full disk may have taken part of the last write: cut back to the last good edge, where `truncate` will cut the spans as well. */
  async #writeFailed (edge: number): Promise<void> {
    try {
      if (await this.#file.truncate(edge, this.#owner.temporary())) this.#hash.stop()
    } catch {
      // What lies beyond the edge has no journal entry: the next open cuts it.
    }
  }

  /** No write in flight, whether or not one failed. */
  async #settle (): Promise<void> {
    await this.#writer.drain().catch(() => {})
  }

  /** Called by the hash for each whole block, in order; again from 0 after a restart. */
  blockHashed (block: number, prefix: string): void {
    if (block < this.#journaled || this.#state !== 'open') return
    this.#journaled = block + 1
    this.#journalBlock(block, HASH_BLOCK_BYTES, prefix)
  }

  async #journalTail (): Promise<void> {
    const length = this.edge % HASH_BLOCK_BYTES
    try {
      const prefix = await this.#hash.finish(this.edge)
      if (length > 0) this.#journalBlock(Math.floor(this.edge / HASH_BLOCK_BYTES), length, prefix)
      await this.#journal.flush()
    } catch {
      // Without the entry the next open asks for these bytes again; nothing is wrong with the rest.
    }
  }

  #journalBlock (block: number, length: number, prefix: string): void {
    const start = block * HASH_BLOCK_BYTES
    const from = this.#spans.slice(start, start + length).map(span => [span.end - span.start, span.source] as const)
    this.#journal.append({ block, length, prefix, from })
  }

  /** Lets go of everything, whatever fails on the way: the digest may be opened again. */
  async #leave ({ keep }: { keep: boolean }): Promise<void> {
    try {
      if (!keep) await this.#owner.removeFiles()
    } finally {
      try {
        await this.#letGo()
      } finally {
        await this.#closeFile()
      }
    }
  }

  async #letGo (): Promise<void> {
    this.#hash.stop()
    this.#writer.release()
    try {
      await this.#journal.close()
    } finally {
      this.#owner.released()
    }
  }

  async #closeFile (): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#owner.closed(this)
    await this.#file.close()
  }

  #assertOpen (): void {
    if (this.#state !== 'open') throw new StoreClosedError(`partial ${this.digest}`)
  }
}
