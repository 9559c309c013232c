import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import type { DigestAlgorithm } from '../oci/digest.ts'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'
import type { HashPool } from './hash-pool.ts'
import type { FileHashJob } from './hash-thread.ts'
import { HashFailedError } from './store-errors.ts'

/**
 * How often the thread is told how far it may go, in milliseconds: each message wakes it, and its answer us, which on a busy
 * host takes the processor from both.
 */
const ADVANCE_INTERVAL_MS = 16

export interface PartialHashComponents {
  readonly hashes: HashPool
  readonly path: string
  readonly algorithm: DigestAlgorithm
  /** The digest, in hex, of all bytes up to the end of a whole block, none left out; after `rewind` and `stop` some are told again. */
  readonly onBlock: (index: number, hex: string) => void
}

/**
 * The running hash of a file whose first bytes grow. The thread is told of whole blocks only, which keeps messages few; a file below one block
 * never needs the thread.
 */
export class PartialHash {
  readonly #components: PartialHashComponents
  #job: FileHashJob | undefined
  #advancedTo = 0
  /** Whole blocks that are there. */
  #edge = 0
  /** End of the last block that was told of. */
  #toldTo = 0
  #timer: NodeJS.Timeout | undefined

  constructor (components: PartialHashComponents) {
    this.#components = components
  }

  /** [0, edge) can be read. */
  advance (edge: number): void {
    this.#edge = edge - edge % HASH_BLOCK_BYTES
    if (this.#timer === undefined) this.#tell()
  }

  /** The digest of [0, edge), in hex. @throws HashFailedError */
  async finish (edge: number): Promise<string> {
    if (this.#job === undefined && edge < HASH_BLOCK_BYTES) return this.#hashHere(edge)
    this.#edge = edge
    this.#advancedTo = edge
    return this.#runningJob().finish(edge)
  }

  /** The bytes from `edge` on are here no longer, and others may follow. */
  rewind (edge: number): void {
    this.#edge = Math.min(this.#edge, edge - edge % HASH_BLOCK_BYTES)
    if (this.#advancedTo <= edge) return
    if (this.#job === undefined || this.#job.hasFailed) return this.stop()
    // blocks whose digest is on its way must be told again
    this.#advancedTo = Math.min(this.#edge, this.#toldTo)
    this.#job = this.#job.rewind(this.#advancedTo, this.#onBlock)
  }

  /** Starts over when it is next asked: another file may lie there. */
  stop (): void {
    this.#job?.stop()
    this.#job = undefined
    this.#edge = 0
    this.#advancedTo = 0
    this.#toldTo = 0
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #tell (): void {
    if (this.#edge <= this.#advancedTo) return
    this.#advancedTo = this.#edge
    this.#runningJob().advance(this.#edge)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      this.#tell()
    }, ADVANCE_INTERVAL_MS)
  }

  #runningJob (): FileHashJob {
    if (this.#job?.hasFailed === true) this.#job = undefined
    if (this.#job === undefined) {
      const { hashes, path, algorithm } = this.#components
      this.#toldTo = 0
      this.#job = hashes.start(path, algorithm, this.#onBlock)
    }
    return this.#job
  }

  readonly #onBlock = (index: number, hex: string): void => {
    this.#toldTo = (index + 1) * HASH_BLOCK_BYTES
    this.#components.onBlock(index, hex)
  }

  async #hashHere (edge: number): Promise<string> {
    const { path, algorithm } = this.#components
    const bytes = Buffer.alloc(edge)
    const file = await open(path)
    try {
      const { bytesRead } = await file.read(bytes, 0, edge, 0)
      if (bytesRead < edge) throw new HashFailedError(path, 'SHORT_READ', `file ends at ${bytesRead}, expected ${edge} bytes`)
    } finally {
      await file.close()
    }
    return createHash(algorithm).update(bytes).digest('hex')
  }
}
