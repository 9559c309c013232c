import { setTimeout as sleep } from 'node:timers/promises'
import type { Pace } from '../net/pace.ts'
import type { TokenBucket } from '../swarm/token-bucket.ts'

/** Chunks in milliseconds of the rate: who is sent one waits while each of the others is. */
const CHUNK_MS = 50
const MIN_CHUNK_BYTES = 16 * 1024

interface Waiting {
  readonly bytes: number
  readonly resolve: () => void
}

export interface BucketPaceInit {
  /** Milliseconds that never go back. @default performance.now */
  readonly now?: () => number
  /** Resolves after so many milliseconds. */
  readonly wait?: (delayMs: number) => Promise<unknown>
}

/** Lets bytes go as a bucket allows: what is urgent first, the rest in the order asked. Whoever asks has a bound of its own. */
export class BucketPace implements Pace {
  readonly chunkBytes: number
  readonly #bucket: TokenBucket
  readonly #now: () => number
  readonly #wait: (delayMs: number) => Promise<unknown>
  readonly #urgent: Waiting[] = []
  readonly #others: Waiting[] = []
  #isRunning = false

  constructor (bucket: TokenBucket, { now = () => performance.now(), wait = sleep }: BucketPaceInit = {}) {
    this.#bucket = bucket
    this.chunkBytes = Math.max(MIN_CHUNK_BYTES, Math.floor(bucket.bytesPerSecond / 1000 * CHUNK_MS))
    this.#now = now
    this.#wait = wait
  }

  async pass (bytes: number, { isUrgent = false }: { readonly isUrgent?: boolean } = {}): Promise<void> {
    if (this.#bucket.chunkBytes === Infinity) return
    await new Promise<void>(resolve => {
      (isUrgent ? this.#urgent : this.#others).push({ bytes, resolve })
      if (!this.#isRunning) this.#run().catch(() => {})
    })
  }

  async #run (): Promise<void> {
    this.#isRunning = true
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      for (let left = next.bytes; left > 0;) {
        const delayMs = this.#bucket.delayMs(this.#now())
        if (delayMs > 0) await this.#wait(delayMs)
        left -= this.#bucket.take(left, this.#now())
      }
      next.resolve()
    }
    this.#isRunning = false
  }

  #next (): Waiting | undefined {
    return this.#urgent.shift() ?? this.#others.shift()
  }
}
