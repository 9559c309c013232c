import { MAX_CHUNK_LENGTH } from './swarm-limits.ts'

/** What is said to the other side waits no longer behind the bytes of one chunk, as fast as they went lately, in milliseconds. */
const WITHIN_MS = 200
/** Bytes. Shorter ones would cost more than the wait: each is written and read by itself. */
const MIN_CHUNK_LENGTH = 16 * 1024
/** Of what went before so much counts beside the newest chunk. */
const MEMORY = 3 / 4

/** Rather than a last chunk that is short each is a bit longer, at the most by this part. */
const MAX_EXCESS = 1 / 10

/** The next chunk of so many bytes, cut into equal parts that are hardly longer than `aim`: each is written and read by itself, however short. */
export function nextChunk (left: number, aim: number): number {
  const parts = Math.max(Math.ceil(left / (aim * (1 + MAX_EXCESS))), Math.ceil(left / MAX_CHUNK_LENGTH))
  return Math.ceil(left / parts)
}

/**
 * How much of a piece to send at a time: on a slow link the rest of it waits here, where requests and what we have got go before
 * it, and not in the kernel, where they would come behind it.
 */
export class ChunkLength {
  #bytes = 0
  #ms = 0

  /** Bytes; the greatest until it is known how fast they go. */
  get bytes (): number {
    if (this.#ms === 0) return MAX_CHUNK_LENGTH
    return Math.min(MAX_CHUNK_LENGTH, Math.max(MIN_CHUNK_LENGTH, Math.floor(this.#bytes / this.#ms * WITHIN_MS)))
  }

  /** So many bytes have left us in that time. */
  sent (bytes: number, tookMs: number): void {
    this.#bytes = this.#bytes * MEMORY + bytes
    this.#ms = this.#ms * MEMORY + tookMs
  }
}
