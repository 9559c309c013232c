import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync } from 'node:fs'
import { HASH_BLOCK_BYTES, type HashRequest, type JobReply } from './hash-messages.ts'
import { readHashBlock } from './hash-block.ts'

/** Whole blocks told in one message, which the main thread is woken for. */
const BLOCKS_PER_REPLY = 16
/** Distance of the states that are kept to go back to: about 1 KB each. */
const MARK_INTERVAL_BYTES = 16 * HASH_BLOCK_BYTES

type StartRequest = Extract<HashRequest, { type: 'start' }>
type FinishRequest = Extract<HashRequest, { type: 'finish' }>
type Reply = (message: JobReply) => void

/** The hash of one growing file, from its first byte on. Lives in the hash thread. */
export class FileHash {
  readonly #fd: number
  readonly #reply: Reply
  readonly #algorithm: string
  #job: number
  #hash: Hash
  #hashed = 0
  #to = 0
  #finishes: FinishRequest[] = []
  #untold: string[] = []
  /** States at multiples of the interval; those beyond what is hashed mean nothing. */
  readonly #marks: Hash[]

  constructor ({ job, path, algorithm }: StartRequest, reply: Reply) {
    this.#job = job
    this.#reply = reply
    this.#algorithm = algorithm
    this.#hash = createHash(algorithm)
    this.#marks = [this.#hash.copy()]
    this.#fd = openSync(path, 'r')
  }

  /** Nothing is to be hashed or to be told. */
  get isIdle (): boolean {
    return this.#hashed >= this.#to && this.#finishes.length === 0 && this.#untold.length === 0
  }

  advance (to: number): void {
    this.#to = Math.max(this.#to, to)
  }

  finish (request: FinishRequest): void {
    this.advance(request.to)
    this.#finishes.push(request)
  }

  /** Goes on as the job `as`, at the last state that knows nothing of the bytes from `to` on. */
  rewind (as: number, to: number): void {
    this.#job = as
    this.#finishes = []
    this.#to = Math.min(this.#to, to)
    if (this.#hashed <= to) return
    const mark = Math.floor(to / MARK_INTERVAL_BYTES)
    this.#hash = this.#marks[mark]?.copy() ?? createHash(this.#algorithm)
    this.#hashed = mark * MARK_INTERVAL_BYTES
    this.#untold = []
  }

  /** Hashes at most one block, so that several files share the thread fairly. @returns whether there is more to do */
  step (): boolean {
    const length = Math.min(HASH_BLOCK_BYTES - this.#hashed % HASH_BLOCK_BYTES, this.#to - this.#hashed)
    if (length > 0) this.#read(length)
    const hasMore = this.#hashed < this.#to
    if (!hasMore || this.#untold.length === BLOCKS_PER_REPLY) this.#tellBlocks()
    if (hasMore) return true
    for (const { ticket } of this.#finishes) {
      this.#reply({ type: 'digest', job: this.#job, ticket, hex: this.#soFar() })
    }
    this.#finishes = []
    return false
  }

  close (): void {
    closeSync(this.#fd)
  }

  /** The running hash, which goes on: one more finalisation, no more bytes. */
  #soFar (): string {
    return this.#hash.copy().digest('hex')
  }

  #read (length: number): void {
    const bytes = readHashBlock(this.#fd, length, this.#hashed, this.#to)
    this.#hash.update(bytes)
    this.#hashed += bytes.length
    if (this.#hashed % HASH_BLOCK_BYTES === 0) this.#untold.push(this.#soFar())
    if (this.#hashed % MARK_INTERVAL_BYTES === 0) this.#marks[this.#hashed / MARK_INTERVAL_BYTES] = this.#hash.copy()
  }

  #tellBlocks (): void {
    if (this.#untold.length === 0) return
    const first = Math.floor(this.#hashed / HASH_BLOCK_BYTES) - this.#untold.length
    this.#reply({ type: 'blocks', job: this.#job, first, hexes: this.#untold })
    this.#untold = []
  }
}
