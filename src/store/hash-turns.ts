import { FileHash } from './file-hash.ts'
import { hashFailure } from './hash-block.ts'
import { HASH_BLOCK_BYTES, type HashReply, type HashRequest } from './hash-messages.ts'
import { SpanHashQueue } from './span-hash-queue.ts'

/** Of spans, before a running hash gets a block: somebody waits for a span to pass it on, the running hashes matter at their end. */
const SPAN_BYTES_PER_TURN = 4 * HASH_BLOCK_BYTES

/** What the hash thread has to do, and in which order. */
export class HashTurns {
  readonly #reply: (message: HashReply) => void
  readonly #jobs = new Map<number, FileHash>()
  readonly #spans = new SpanHashQueue()

  constructor (reply: (message: HashReply) => void) {
    this.#reply = reply
  }

  receive (request: HashRequest): void {
    switch (request.type) {
      case 'start':
        this.#guard(request.job, () => {
          this.#jobs.set(request.job, new FileHash(request, this.#reply))
          return false
        })
        break
      case 'advance':
        this.#jobs.get(request.job)?.advance(request.to)
        break
      case 'finish':
        this.#jobs.get(request.job)?.finish(request)
        break
      case 'rewind':
        this.#rewind(request.job, request.as, request.to)
        break
      case 'stop':
        this.#stop(request.job)
        break
      case 'spans':
        this.#spans.add(request.spans)
        break
      default:
        request satisfies never
    }
  }

  /** Spans first, then one block of each file, or of one while spans wait. @returns whether there is more to do */
  turn (): boolean {
    const results = this.#spans.step(SPAN_BYTES_PER_TURN)
    if (results.length > 0) this.#reply({ type: 'spans', results })
    let hasMore = !this.#spans.isEmpty
    for (const [job, file] of [...this.#jobs].filter(([, { isIdle }]) => !isIdle)) {
      if (this.#guard(job, () => file.step())) {
        hasMore = true
        // the others' turn comes first next time
        this.#jobs.delete(job)
        this.#jobs.set(job, file)
      }
      if (!this.#spans.isEmpty) break
    }
    return hasMore
  }

  #rewind (job: number, as: number, to: number): void {
    const file = this.#jobs.get(job)
    if (file === undefined) return this.#reply({ type: 'failed', job: as, code: 'STOPPED', message: 'stopped' })
    this.#jobs.delete(job)
    this.#jobs.set(as, file)
    file.rewind(as, to)
  }

  #guard (job: number, task: () => boolean): boolean {
    try {
      return task()
    } catch (error) {
      this.#reply({ type: 'failed', job, ...hashFailure(error) })
      this.#stop(job)
      return false
    }
  }

  #stop (job: number): void {
    this.#jobs.get(job)?.close()
    this.#jobs.delete(job)
  }
}
