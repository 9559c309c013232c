import { digestAlgorithm, type Digest } from '../oci/digest.ts'
import { checkSpan, confirmedSpan } from './blob-span.ts'
import { DiskEvidence } from './disk-evidence.ts'
import type { DiskPartialOwner, DiskPartialState } from './disk-partial-owner.ts'
import type { JournalFile } from './journal-file.ts'
import { PartialBytes } from './partial-bytes.ts'
import type { PartialFileHandle } from './partial-file.ts'
import { PartialProof } from './partial-proof.ts'
import { DigestMismatchError, HashFailedError, NotVerifiedError, PartialSizeError, StoreClosedError } from './store-errors.ts'
import type { Access, BlobFacts, BlobRecord, ByteSpan, ConfirmedSpan, PartialBlob, SourcedSpan, SpanSource } from './store.ts'
import { Turns } from './turns.ts'
import { withSignal } from './with-signal.ts'

/**
 * A partial blob on disk: its bytes, what is proved of them, and the order in which things happen to it. Writes that find no room, cuts
 * and commits take turns; reads and hashes do not wait for them.
 */
export class DiskPartial implements PartialBlob {
  readonly digest: Digest
  onEdge: ((edge: number) => void) | undefined
  onReadable: ((start: number, end: number) => void) | undefined
  readonly #owner: DiskPartialOwner
  readonly #file: PartialFileHandle
  readonly #journal: JournalFile
  readonly #bytes: PartialBytes
  readonly #proof: PartialProof
  readonly #turns = new Turns()
  #size: number | undefined
  #access: Access | undefined
  #edge: number
  #isVerified = false
  #state: 'open' | 'committed' | 'closed' = 'open'

  constructor (digest: Digest, owner: DiskPartialOwner, state: DiskPartialState) {
    this.digest = digest
    this.#owner = owner
    this.#file = state.file
    this.#journal = state.journal
    this.#size = state.size
    this.#access = state.access
    this.#bytes = new PartialBytes({
      file: state.file,
      blocks: owner.blocks,
      temporary: () => owner.temporary(),
      onReadable: (start, end) => { this.#becameReadable(start, end) },
      onReplaced: () => { this.#proof.stop() }
    }, state.spans)
    this.#proof = new PartialProof({ path: state.file.path, hashes: owner.hashes, journal: state.journal, hash: state.hash, readable: this.#bytes.readable }, state)
    this.#edge = this.edge
    this.#proof.advance(this.edge)
  }

  get size (): number | undefined {
    return this.#size
  }

  get edge (): number {
    return this.#bytes.readable.edge
  }

  get spans (): readonly SourcedSpan[] {
    return this.#bytes.readable.all
  }

  get confirmed (): readonly ConfirmedSpan[] {
    return this.#proof.confirmed
  }

  get access (): Access | undefined {
    return this.#access
  }

  noteAccess (access: Access): void {
    this.#assertOpen()
    if (access === this.#access) return
    this.#access = access
    this.#journal.append({ access })
  }

  has ({ start, end }: ByteSpan): boolean {
    return this.#bytes.readable.has(start, end)
  }

  async setSize (size: number): Promise<void> {
    this.#assertOpen()
    if (this.#size === size) return
    if (this.#size !== undefined) throw new PartialSizeError(this.digest, this.#size, size)
    const { end } = this.#bytes.given
    if (end > size) throw new PartialSizeError(this.digest, size, end)
    this.#size = size
    this.#journal.append({ size })
  }

  async append (chunk: Uint8Array, source: SpanSource): Promise<void> {
    return this.#write(undefined, chunk, source)
  }

  async write (position: number, chunk: Uint8Array, source: SpanSource): Promise<void> {
    return this.#write(position, chunk, source)
  }

  tryWrite (position: number, chunk: Uint8Array, source: SpanSource): boolean {
    this.#admit(position, chunk)
    return this.#turns.isIdle && this.#bytes.tryWrite(position, chunk, source)
  }

  async flush (): Promise<void> {
    await this.#turns.run(async () => {
      this.#assertOpen()
      await this.#bytes.drain()
      await this.#journal.flush()
    })
  }

  async hash (span: ByteSpan, options: { signal?: AbortSignal } = {}): Promise<string> {
    this.#assertOpen()
    options.signal?.throwIfAborted()
    const { given } = this.#bytes
    const { start, end } = checkSpan(span, given.end)
    if (!given.has(start, end)) throw new RangeError(`bytes of ${start} to ${end} are missing`)
    return withSignal(this.#hash({ start, end }), options.signal)
  }

  confirm (span: ByteSpan, sha256: string, note?: string): void {
    this.#assertOpen()
    this.#proof.confirm(confirmedSpan(span, sha256, note, this.#bytes.readable))
  }

  async erase (span: ByteSpan): Promise<void> {
    const { start, end } = checkSpan(span, Number.MAX_SAFE_INTEGER)
    await this.#turns.run(async () => {
      this.#assertOpen()
      if (!this.#bytes.given.overlaps(start, end)) return
      await this.#bytes.release({ start, end })
      this.#proof.forget(start, end)
      this.#forget(start, end)
    })
  }

  async truncate (edge: number): Promise<void> {
    await this.#turns.run(async () => {
      this.#assertOpen()
      await this.#bytes.settle()
      if (edge < this.#bytes.readable.end) {
        this.#proof.forget(edge, Infinity)
        // Told before it is done: a kill in between cuts once more.
        await this.#journal.flush()
        this.#forget(edge, Infinity)
        await this.#bytes.cut()
      }
      this.#bytes.reset()
    })
  }

  async read (buffer: Uint8Array, position: number): Promise<number> {
    if (this.#state === 'closed') throw new StoreClosedError(`partial ${this.digest}`)
    return this.#bytes.read(buffer, position)
  }

  async verify (options: { signal?: AbortSignal } = {}): Promise<void> {
    options.signal?.throwIfAborted()
    await withSignal(this.#turns.run(async () => {
      this.#assertOpen()
      await this.#bytes.drain()
      const size = this.#size ?? this.#bytes.readable.end
      if (size !== this.edge) throw new PartialSizeError(this.digest, size, this.edge)
      const actual = `${digestAlgorithm(this.digest)}:${await this.#proof.finish(size)}` as Digest
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
      await this.#bytes.drain()
      const evidence = await DiskEvidence.keep(this.#file.path, this.#owner.temporary(), this.spans, this.#owner.evidence)
      this.#file.share()
      return evidence
    })
  }

  async close (): Promise<void> {
    await this.#turns.run(async () => {
      if (this.#state !== 'open') return this.#closeFile()
      await this.#bytes.settle()
      await this.#proof.settle(this.edge)
      await this.#leave({ keep: this.edge > 0 || this.confirmed.length > 0 })
    })
  }

  async discard (): Promise<void> {
    await this.#turns.run(async () => {
      if (this.#state !== 'open') return this.#closeFile()
      await this.#bytes.settle()
      await this.#leave({ keep: false })
    })
  }

  /** Called by the hash for each whole block, in order. */
  blockHashed (block: number, prefix: string): void {
    if (this.#state === 'open') this.#proof.blockHashed(block, prefix)
  }

  /** At `position`, or at the first byte that was not given. */
  async #write (position: number | undefined, chunk: Uint8Array, source: SpanSource): Promise<void> {
    // as it nearly always is: without the promises of a turn
    if (this.#turns.isIdle && this.tryWrite(position ?? this.#bytes.given.edge, chunk, source)) return
    await this.#turns.run(async () => {
      const start = position ?? this.#bytes.given.edge
      this.#admit(start, chunk)
      await this.#bytes.write(start, chunk, source)
    })
  }

  /** @throws PartialSizeError */
  #admit (start: number, { length }: Uint8Array): void {
    this.#assertOpen()
    const end = start + length
    if (this.#size !== undefined && end > this.#size) throw new PartialSizeError(this.digest, this.#size, end)
    if (length > 0) this.#isVerified = false
  }

  async #hash (span: ByteSpan): Promise<string> {
    await this.#bytes.flush(span)
    // the end of a chunk may still wait for room
    if (!this.has(span)) await this.#turns.run(() => this.#bytes.flush(span))
    if (!this.has(span)) throw new HashFailedError(this.#file.path, 'CHANGED', `bytes of ${span.start} to ${span.end} were erased meanwhile`)
    return this.#proof.hash(span)
  }

  #forget (start: number, end: number): void {
    this.#isVerified = false
    this.#bytes.forget(start, end)
    this.#edge = this.edge
  }

  #becameReadable (start: number, end: number): void {
    const hasAdvanced = this.edge > this.#edge
    this.#edge = this.edge
    if (hasAdvanced) this.#proof.advance(this.edge)
    try {
      this.onReadable?.(start, end)
      if (hasAdvanced) this.onEdge?.(this.edge)
    } catch (error) {
      // A listener's fault is not the disk's.
      queueMicrotask(() => { throw error })
    }
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
    this.#proof.stop()
    this.#bytes.close()
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
