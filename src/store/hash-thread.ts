import { Worker } from 'node:worker_threads'
import type { DigestAlgorithm } from '../oci/digest.ts'
import type { HashReply, HashRequest, JobReply } from './hash-messages.ts'
import { SpanHashes } from './span-hashes.ts'
import { HashFailedError } from './store-errors.ts'
import type { ByteSpan } from './store.ts'

/** The worker runs as TypeScript in a checkout and as JavaScript when built. */
const WORKER_URL = import.meta.url.endsWith('.ts') ? new URL('./hash-worker.ts', import.meta.url) : new URL('./hash-worker.js', import.meta.url)

/** Told of each whole block, in order: the digest, in hex, of all bytes up to its end. */
export type BlockListener = (index: number, hex: string) => void

/** One thread and the jobs it has. */
export class HashThread {
  readonly #worker = new Worker(WORKER_URL, { name: 'shoal-hash' })
  readonly #jobs = new Map<number, FileHashJob>()
  readonly #spans = new SpanHashes(request => { this.post(request) })
  #nextJob = 0
  #waiting = 0
  isAlive = true

  constructor () {
    this.#worker.unref()
    this.#worker.on('message', (reply: HashReply) => { this.#receive(reply) })
    this.#worker.on('error', (error: Error) => { this.#fail(error.message) })
    this.#worker.on('exit', code => { this.#fail(`hash worker ended with code ${code}`) })
  }

  get jobs (): number {
    return this.#jobs.size
  }

  /** Bytes of spans that wait. */
  get spanBytes (): number {
    return this.#spans.bytes
  }

  start (path: string, algorithm: DigestAlgorithm, onBlock?: BlockListener): FileHashJob {
    const job = this.#newJob(path, onBlock)
    this.post({ type: 'start', job: job.id, path, algorithm })
    return job
  }

  rewind (job: FileHashJob, to: number, onBlock?: BlockListener): FileHashJob {
    const next = this.#newJob(job.path, onBlock)
    this.post({ type: 'rewind', job: job.id, as: next.id, to })
    return next
  }

  async span (path: string, span: ByteSpan): Promise<string> {
    this.hold()
    try {
      return await this.#spans.hash(path, span)
    } finally {
      this.release()
    }
  }

  post (request: HashRequest): void {
    if (this.isAlive) this.#worker.postMessage(request)
  }

  forget (job: number): void {
    this.#jobs.delete(job)
  }

  /** While somebody waits for an answer the thread keeps the process alive. */
  hold (): void {
    if (this.#waiting++ === 0) this.#worker.ref()
  }

  release (): void {
    if (--this.#waiting === 0) this.#worker.unref()
  }

  async close (): Promise<void> {
    this.#fail('hash pool is closed')
    await this.#worker.terminate()
  }

  #newJob (path: string, onBlock?: BlockListener): FileHashJob {
    const id = this.#nextJob++
    const job = new FileHashJob(id, path, this, onBlock)
    this.#jobs.set(id, job)
    return job
  }

  #receive (reply: HashReply): void {
    if (reply.type === 'spans') this.#spans.receive(reply.results)
    else this.#jobs.get(reply.job)?.receive(reply)
  }

  #fail (message: string): void {
    this.isAlive = false
    this.#spans.fail(message)
    for (const [id, job] of this.#jobs) job.receive({ type: 'failed', job: id, code: 'WORKER', message })
  }
}

/** The hash of one file, from its first byte on. */
export class FileHashJob {
  readonly id: number
  readonly path: string
  readonly #thread: HashThread
  readonly #onBlock: BlockListener | undefined
  readonly #tickets = new Map<number, PromiseWithResolvers<string>>()
  #nextTicket = 0
  #failure: HashFailedError | undefined

  constructor (id: number, path: string, thread: HashThread, onBlock?: BlockListener) {
    this.id = id
    this.path = path
    this.#thread = thread
    this.#onBlock = onBlock
  }

  get hasFailed (): boolean {
    return this.#failure !== undefined
  }

  /** The bytes [0, to) may be read. */
  advance (to: number): void {
    this.#thread.post({ type: 'advance', job: this.id, to })
  }

  /** The digest of [0, to), in hex; `to` is not below any offset given before. @throws HashFailedError */
  async finish (to: number): Promise<string> {
    if (this.#failure !== undefined) throw this.#failure
    const ticket = this.#nextTicket++
    const result = Promise.withResolvers<string>()
    this.#tickets.set(ticket, result)
    this.#thread.hold()
    try {
      this.#thread.post({ type: 'finish', job: this.id, to, ticket })
      return await result.promise
    } finally {
      this.#tickets.delete(ticket)
      this.#thread.release()
    }
  }

  /** The bytes from `to` on change: ends this job and returns one that goes on from those before, without hashing all of them again. */
  rewind (to: number, onBlock?: BlockListener): FileHashJob {
    const next = this.#thread.rewind(this, to, onBlock)
    this.#thread.forget(this.id)
    this.#fail('stopped', 'STOPPED')
    return next
  }

  stop (): void {
    this.#thread.post({ type: 'stop', job: this.id })
    this.#thread.forget(this.id)
    this.#fail('stopped', 'STOPPED')
  }

  receive (reply: JobReply): void {
    switch (reply.type) {
      case 'blocks':
        for (const [offset, hex] of reply.hexes.entries()) this.#onBlock?.(reply.first + offset, hex)
        break
      case 'digest':
        this.#tickets.get(reply.ticket)?.resolve(reply.hex)
        break
      case 'failed':
        this.#thread.forget(this.id)
        this.#fail(reply.message, reply.code)
        break
      default:
        reply satisfies never
    }
  }

  #fail (message: string, reason: string): void {
    this.#failure ??= new HashFailedError(this.path, reason, message)
    for (const ticket of this.#tickets.values()) ticket.reject(this.#failure)
  }
}
