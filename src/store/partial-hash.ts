import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { DigestAlgorithm } from '../oci/digest.ts'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'
import type { FileHashJob, HashPool } from './hash-pool.ts'
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
  /** The digest, in hex, of all bytes up to the end of a whole block; after a restart the same blocks are told again. */
  readonly onBlock: (index: number, hex: string) => void
}

/**
 * The running hash of a growing file. The thread is told of whole blocks only, which keeps messages few; a file below one block
 * never needs the thread.
 */
export class PartialHash {
  readonly #components: PartialHashComponents
  #job: FileHashJob | undefined
  #advancedTo = 0
  /** Whole blocks that are there. */
  #edge = 0
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

  /** The file was cut to `edge`, and what follows may differ. */
  truncated (edge: number): void {
    this.#edge = Math.min(this.#edge, edge - edge % HASH_BLOCK_BYTES)
    if (this.#advancedTo > edge) this.stop()
  }

  stop (): void {
    this.#job?.stop()
    this.#job = undefined
    this.#edge = 0
    this.#advancedTo = 0
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
    const { hashes, path, algorithm } = this.#components
    this.#job ??= hashes.start(path, algorithm, (index, hex) => { this.#components.onBlock(index, hex) })
    return this.#job
  }

  async #hashHere (edge: number): Promise<string> {
    const { path, algorithm } = this.#components
    const bytes = (await readFile(path)).subarray(0, edge)
    if (bytes.length < edge) throw new HashFailedError(path, 'SHORT_READ', `file ends at ${bytes.length}, expected ${edge} bytes`)
    return createHash(algorithm).update(bytes).digest('hex')
  }
}
