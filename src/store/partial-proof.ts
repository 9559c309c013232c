import { ConfirmedSpans } from './confirmed-spans.ts'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'
import type { HashPool } from './hash-pool.ts'
import type { JournalFile } from './journal-file.ts'
import type { PartialHash } from './partial-hash.ts'
import { lengthsOf, spanEntry } from './partial-journal.ts'
import type { SourceSpans } from './source-spans.ts'
import { HashFailedError } from './store-errors.ts'
import type { ByteSpan, ConfirmedSpan } from './store.ts'

export interface PartialProofComponents {
  readonly path: string
  readonly hashes: HashPool
  readonly journal: JournalFile
  /** The running hash of the bytes without a gap from 0. */
  readonly hash: PartialHash
  /** What can be read. */
  readonly readable: SourceSpans
}

/** What was found proved when the partial was opened. */
export interface PartialProofState {
  /** Blocks from 0 on that are in the journal. */
  readonly journaled: number
  readonly confirmed: Iterable<ConfirmedSpan>
}

/** A span that is being hashed. */
interface Hashing extends ByteSpan {
  hasChanged: boolean
}

/**
 * What is known of the bytes of a partial beyond their being here: the running hash of those without a gap from 0, the spans that were
 * confirmed by themselves, and the journal, which remembers both.
 */
export class PartialProof {
  readonly #components: PartialProofComponents
  readonly #confirmed: ConfirmedSpans
  readonly #hashing = new Set<Hashing>()
  #journaled: number

  constructor (components: PartialProofComponents, { journaled, confirmed }: PartialProofState) {
    this.#components = components
    this.#journaled = journaled
    this.#confirmed = new ConfirmedSpans(confirmed)
  }

  get confirmed (): readonly ConfirmedSpan[] {
    return this.#confirmed.all
  }

  /** Bytes [0, edge) can be read. */
  advance (edge: number): void {
    this.#components.hash.advance(edge)
  }

  /** The digest of [0, edge), in hex. @throws HashFailedError */
  async finish (edge: number): Promise<string> {
    return this.#components.hash.finish(edge)
  }

  /** SHA-256, in hex, of bytes that can be read. @throws HashFailedError, also when some of them were forgotten meanwhile */
  async hash ({ start, end }: ByteSpan): Promise<string> {
    const { hashes, path } = this.#components
    const hashing: Hashing = { start, end, hasChanged: false }
    this.#hashing.add(hashing)
    try {
      const hex = await hashes.span(path, hashing)
      if (hashing.hasChanged) throw new HashFailedError(path, 'CHANGED', `bytes of ${start} to ${end} were erased meanwhile`)
      return hex
    } finally {
      this.#hashing.delete(hashing)
    }
  }

  confirm (span: ConfirmedSpan): void {
    this.#confirmed.add(span)
    this.#components.journal.append(spanEntry(span, this.#components.readable.slice(span.start, span.end)))
  }

  /** Called by the hash for each whole block, in order; some again after a change. */
  blockHashed (block: number, prefix: string): void {
    if (block < this.#journaled) return
    this.#journaled = block + 1
    this.#journalBlock(block, HASH_BLOCK_BYTES, prefix)
  }

  /** The bytes [start, end) are here no longer: told before others take their place. */
  forget (start: number, end: number): void {
    const { hash, journal } = this.#components
    for (const hashing of this.#hashing) {
      if (start < hashing.end && hashing.start < end) hashing.hasChanged = true
    }
    this.#confirmed.delete(start, end)
    hash.rewind(start)
    this.#journaled = Math.min(this.#journaled, Math.floor(start / HASH_BLOCK_BYTES))
    journal.append(end === Infinity ? { truncate: start } : { erase: [start, end] })
  }

  /** The running hash starts over when it is next asked: another file may lie there. */
  stop (): void {
    this.#components.hash.stop()
  }

  /** All that can be known without reading more than the running hash has left to read is in the journal. */
  async settle (edge: number): Promise<void> {
    const length = edge % HASH_BLOCK_BYTES
    try {
      const prefix = await this.finish(edge)
      if (length > 0) this.#journalBlock(Math.floor(edge / HASH_BLOCK_BYTES), length, prefix)
      await this.#components.journal.flush()
    } catch {
      // Without the entry the next open asks for these bytes again; nothing is wrong with the rest.
    }
  }

  #journalBlock (block: number, length: number, prefix: string): void {
    const { journal, readable } = this.#components
    const start = block * HASH_BLOCK_BYTES
    journal.append({ block, length, prefix, from: lengthsOf(readable.slice(start, start + length)) })
  }
}
