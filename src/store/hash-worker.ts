import { createHash, type Hash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { HASH_BLOCK_BYTES, type HashReply, type HashRequest } from './hash-messages.ts'

/**
 * The thread that hashes files while they grow. It reads them itself (from the page cache, into one buffer),
 * so no content crosses threads; the main thread only says how far it may read. Started by HashPool.
 */
type StartRequest = Extract<HashRequest, { type: 'start' }>
type FinishRequest = Extract<HashRequest, { type: 'finish' }>

/** Whole blocks told in one message, which the main thread is woken for. */
const BLOCKS_PER_REPLY = 16

const buffer = Buffer.allocUnsafeSlow(HASH_BLOCK_BYTES)
const jobs = new Map<number, FileHash>()
let isWorking = false

class FileHash {
  readonly #job: number
  readonly #fd: number
  readonly #hash: Hash
  #hashed = 0
  #to = 0
  #finishes: FinishRequest[] = []
  #untold: string[] = []

  constructor (request: StartRequest) {
    this.#job = request.job
    this.#hash = createHash(request.algorithm)
    this.#fd = openSync(request.path, 'r')
  }

  advance (to: number): void {
    this.#to = Math.max(this.#to, to)
  }

  finish (request: FinishRequest): void {
    this.advance(request.to)
    this.#finishes.push(request)
  }

  /** Hashes at most one block, so that several files share the thread fairly. @returns whether there is more to do */
  step (): boolean {
    const length = Math.min(HASH_BLOCK_BYTES - this.#hashed % HASH_BLOCK_BYTES, this.#to - this.#hashed)
    if (length > 0) this.#read(length)
    const hasMore = this.#hashed < this.#to
    if (!hasMore || this.#untold.length === BLOCKS_PER_REPLY) this.#tellBlocks()
    if (hasMore) return true
    for (const { ticket } of this.#finishes) {
      reply({ type: 'digest', job: this.#job, ticket, hex: this.#soFar() })
    }
    this.#finishes = []
    return false
  }

  /** The running hash, which goes on: one more finalisation, no more bytes. */
  #soFar (): string {
    return this.#hash.copy().digest('hex')
  }

  close (): void {
    closeSync(this.#fd)
  }

  #read (length: number): void {
    const bytesRead = readSync(this.#fd, buffer, 0, length, this.#hashed)
    if (bytesRead === 0) throw new Error(`file ends at ${this.#hashed}, expected ${this.#to} bytes`)
    const bytes = buffer.subarray(0, bytesRead)
    this.#hash.update(bytes)
    this.#hashed += bytesRead
    if (this.#hashed % HASH_BLOCK_BYTES === 0) {
      this.#untold.push(this.#soFar())
    }
  }

  #tellBlocks (): void {
    if (this.#untold.length === 0) return
    const first = Math.floor(this.#hashed / HASH_BLOCK_BYTES) - this.#untold.length
    reply({ type: 'blocks', job: this.#job, first, hexes: this.#untold })
    this.#untold = []
  }
}

function reply (message: HashReply): void {
  parentPort?.postMessage(message)
}

function guard (job: number, task: () => boolean): boolean {
  try {
    return task()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'SHORT_READ'
    reply({ type: 'failed', job, code, message: error instanceof Error ? error.message : String(error) })
    stop(job)
    return false
  }
}

function stop (job: number): void {
  jobs.get(job)?.close()
  jobs.delete(job)
}

/** One block of each file, then room for messages. */
function work (): void {
  isWorking = false
  for (const [job, file] of jobs) {
    if (guard(job, () => file.step())) isWorking = true
  }
  if (isWorking) setImmediate(work)
}

function receive (request: HashRequest): void {
  switch (request.type) {
    case 'start':
      guard(request.job, () => {
        jobs.set(request.job, new FileHash(request))
        return false
      })
      break
    case 'advance':
      jobs.get(request.job)?.advance(request.to)
      break
    case 'finish':
      jobs.get(request.job)?.finish(request)
      break
    case 'stop':
      stop(request.job)
      break
    default:
      request satisfies never
  }
  if (!isWorking) {
    isWorking = true
    setImmediate(work)
  }
}

parentPort?.on('message', receive)
