import type { DigestAlgorithm } from '../oci/digest.ts'
import { HashThread, type BlockListener, type FileHashJob } from './hash-thread.ts'
import { StoreClosedError } from './store-errors.ts'
import type { ByteSpan } from './store.ts'

/** Two threads keep up with any disk we know; more would only take cores from the network. */
const MAX_WORKERS = 2
/** Growing files that one thread hashes, beyond which a second is worth its start (70 ms of the processor) and its memory: one hashes faster than they come. */
const MANY_JOBS = 3
/** Bytes of spans that wait for one thread, beyond which a second is worth its memory. */
const MANY_SPAN_BYTES = 16 * 1024 * 1024

/** Threads that hash files while they grow, and spans of them; started when first needed or before, never keeping the process alive by themselves. */
export class HashPool {
  readonly #workers: HashThread[] = []
  #isClosed = false

  /** Starts a thread if there is none: where processors are scarce that takes two seconds, which a rollout would wait for its first pieces. */
  warmUp (): void {
    this.#leastBusy(() => 0, 0)
  }

  /** Begins a hash of the file at byte 0. Nothing is read before `advance` or `finish`. */
  start (path: string, algorithm: DigestAlgorithm, onBlock?: BlockListener): FileHashJob {
    return this.#leastBusy(({ jobs }) => jobs, MANY_JOBS).start(path, algorithm, onBlock)
  }

  /** SHA-256, in hex, of bytes that are in the file; before running hashes go on. @throws HashFailedError */
  async span (path: string, span: ByteSpan): Promise<string> {
    return this.#leastBusy(({ spanBytes }) => spanBytes, MANY_SPAN_BYTES).span(path, span)
  }

  async close (): Promise<void> {
    this.#isClosed = true
    await Promise.all(this.#workers.map(worker => worker.close()))
  }

  /** One with a load of at most `enough`, or a new one, or the least busy when there are as many as may be. */
  #leastBusy (load: (thread: HashThread) => number, enough: number): HashThread {
    if (this.#isClosed) throw new StoreClosedError('hash pool')
    const alive = this.#workers.filter(worker => worker.isAlive)
    const [best] = alive.sort((a, b) => load(a) - load(b))
    if (best !== undefined && (load(best) <= enough || alive.length >= MAX_WORKERS)) return best
    const worker = new HashThread()
    this.#workers.splice(0, this.#workers.length, ...alive, worker)
    return worker
  }
}
