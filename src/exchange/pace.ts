import { setTimeout as sleep } from 'node:timers/promises'
import type { TokenBucket } from '../swarm/token-bucket.ts'
import type { Pace } from './uploads.ts'

/** Lets bytes go as a bucket allows, in the order asked. */
export class BucketPace implements Pace {
  readonly #bucket: TokenBucket
  readonly #now: () => number
  #last: Promise<void> = Promise.resolve()

  /** @param now - milliseconds that never go back */
  constructor (bucket: TokenBucket, now: () => number = () => performance.now()) {
    this.#bucket = bucket
    this.#now = now
  }

  async pass (bytes: number): Promise<void> {
    if (this.#bucket.chunkBytes === Infinity) return
    const passing = this.#last.then(async () => {
      for (let left = bytes; left > 0;) {
        const delayMs = this.#bucket.delayMs(this.#now())
        if (delayMs > 0) await sleep(delayMs)
        left -= this.#bucket.take(left, this.#now())
      }
    })
    this.#last = passing
    await passing
  }
}
