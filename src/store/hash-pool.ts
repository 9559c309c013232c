import { Worker } from 'node:worker_threads'
import type { DigestAlgorithm } from '../oci/digest.ts'
import type { HashReply, HashRequest } from './hash-messages.ts'
import { HashFailedError, StoreClosedError } from './store-errors.ts'

/** Two files hashed at once keep up with any disk we know; more would only take cores from the network. */
const MAX_WORKERS = 2
/** The worker runs as TypeScript in a checkout and as JavaScript when built. */
const WORKER_URL = import.meta.url.endsWith('.ts') ? new URL('./hash-worker.ts', import.meta.url) : new URL('./hash-worker.js', import.meta.url)

/** Told of each whole block, in order: the digest, in hex, of all bytes up to its end. */
type BlockListener = (index: number, hex: string) => void

/** Threads that hash files while they grow; started when first needed, never keeping the process alive by themselves. */
export class HashPool {
  readonly #workers: HashThread[] = []
  #isClosed = false

  /** Begins a hash of the file at byte 0. Nothing is read before `advance` or `finish`. */
  start (path: string, algorithm: DigestAlgorithm, onBlock?: BlockListener): FileHashJob {
    if (this.#isClosed) throw new StoreClosedError('hash pool')
    return this.#leastBusy().start(path, algorithm, onBlock)
  }

  async close (): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#workers.map(worker => worker.close()))
  }

  #leastBusy (): HashThread {
    const alive = this.#workers.filter(worker => worker.isAlive)
    const [best] = alive.sort((a, b) => a.jobs - b.jobs)
    if (best !== undefined && (best.jobs === 0 || alive.length >= MAX_WORKERS)) return best
    const worker = new HashThread()
    this.#workers.splice(0, this.#workers.length, ...alive, worker)
    return worker
  }
}

/** One thread and the jobs it has. */
class HashThread {
  readonly #worker = new Worker(WORKER_URL, { name: 'shoal-hash' })
  readonly #jobs = new Map<number, FileHashJob>()
  #nextJob = 0
  #waiting = 0
  isAlive = true

  constructor () {
    this.#worker.unref()
    this.#worker.on('message', (reply: HashReply) => { this.#jobs.get(reply.job)?.receive(reply) })
    this.#worker.on('error', (error: Error) => { this.#fail(error.message) })
    this.#worker.on('exit', code => { this.#fail(`hash worker ended with code ${code}`) })
  }

  get jobs (): number {
    return this.#jobs.size
  }

  start (path: string, algorithm: DigestAlgorithm, onBlock?: BlockListener): FileHashJob {
    const id = this.#nextJob++
    const job = new FileHashJob(id, path, this, onBlock)
    this.#jobs.set(id, job)
    this.post({ type: 'start', job: id, path, algorithm })
    return job
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

  #fail (message: string): void {
    this.isAlive = false
    for (const [id, job] of this.#jobs) job.receive({ type: 'failed', job: id, code: 'WORKER', message })
  }
}

/** The hash of one file, from its first byte on. */
export class FileHashJob {
  readonly #id: number
  readonly #path: string
  readonly #thread: HashThread
  readonly #onBlock: BlockListener | undefined
  readonly #tickets = new Map<number, PromiseWithResolvers<string>>()
  #nextTicket = 0
  #failure: HashFailedError | undefined

  constructor (id: number, path: string, thread: HashThread, onBlock?: BlockListener) {
    this.#id = id
    this.#path = path
    this.#thread = thread
    this.#onBlock = onBlock
  }

  get hasFailed (): boolean {
    return this.#failure !== undefined
  }

  /** The bytes [0, to) may be read. */
  advance (to: number): void {
    this.#thread.post({ type: 'advance', job: this.#id, to })
  }

  /** The digest of [0, to), in hex; `to` is not below any offset given before. @throws HashFailedError */
  async finish (to: number): Promise<string> {
    if (this.#failure !== undefined) throw this.#failure
    const ticket = this.#nextTicket++
    const result = Promise.withResolvers<string>()
    this.#tickets.set(ticket, result)
    this.#thread.hold()
    try {
      this.#thread.post({ type: 'finish', job: this.#id, to, ticket })
      return await result.promise
    } finally {
      this.#tickets.delete(ticket)
      this.#thread.release()
    }
  }

  stop (): void {
    this.#thread.post({ type: 'stop', job: this.#id })
    this.#thread.forget(this.#id)
    this.#fail('stopped', 'STOPPED')
  }

  receive (reply: HashReply): void {
    switch (reply.type) {
      case 'blocks':
        for (const [offset, hex] of reply.hexes.entries()) this.#onBlock?.(reply.first + offset, hex)
        break
      case 'digest':
        this.#tickets.get(reply.ticket)?.resolve(reply.hex)
        break
      case 'failed':
        this.#thread.forget(this.#id)
        this.#fail(reply.message, reply.code)
        break
      default:
        reply satisfies never
    }
  }

  #fail (message: string, reason: string): void {
    this.#failure ??= new HashFailedError(this.#path, reason, message)
    for (const ticket of this.#tickets.values()) ticket.reject(this.#failure)
  }
}
