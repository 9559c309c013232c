const CHUNK_BYTES = 64 * 1024
/** What may go at once after a pause, in milliseconds of the rate: long enough for a timer to be late. */
const BURST_MS = 50
/** Burst and chunk at low rates. Together 200 ms, which is 4 % of five seconds. */
const MAX_BURST_MS = 100

export interface TokenBucketInit {
  /** @default no limit */
  bytesPerSecond?: number
}

/**
 * Keeps a stream of bytes at a rate: over any five seconds within 5 % of it, where nobody sends more than `chunkBytes`
 * at a time into debt. What a late timer did not send is caught up with, at most 50 to 100 ms of it, so a busy sender
 * loses nothing. Pure: the time is passed in, in milliseconds that never go back.
 */
export class TokenBucket {
  /** What to send at a time. Infinity where there is no limit. */
  readonly chunkBytes: number
  readonly bytesPerSecond: number
  readonly #bytesPerMs: number
  readonly #burstBytes: number
  /** Below 0: debt. */
  #level: number
  #atMs = -Infinity

  constructor ({ bytesPerSecond = Infinity }: TokenBucketInit = {}) {
    this.bytesPerSecond = bytesPerSecond
    this.#bytesPerMs = bytesPerSecond / 1000
    const mostBytes = this.#bytesPerMs * MAX_BURST_MS
    this.#burstBytes = Math.min(Math.max(this.#bytesPerMs * BURST_MS, CHUNK_BYTES), mostBytes)
    this.chunkBytes = this.#isUnlimited ? Infinity : Math.max(1, Math.floor(Math.min(CHUNK_BYTES, mostBytes)))
    this.#level = this.#burstBytes
  }

  /** How many of the wanted bytes may go now; they are counted. None while in debt, else a chunk at least. */
  take (wantedBytes: number, nowMs: number): number {
    if (this.delayMs(nowMs) > 0) return 0
    const bytes = Math.min(wantedBytes, Math.max(Math.floor(this.#level), this.chunkBytes))
    this.spend(bytes, nowMs)
    return bytes
  }

  /** Counts bytes that go now or have come, however many. */
  spend (bytes: number, nowMs: number): void {
    if (this.#isUnlimited) return
    this.#fill(nowMs)
    this.#level -= bytes
  }

  /** Milliseconds until so many bytes may go at once; until the longest burst where they are more. 0: now. */
  delayMs (nowMs: number, bytes = 0): number {
    if (this.#isUnlimited) return 0
    this.#fill(nowMs)
    const level = Math.min(this.#burstBytes, Math.max(0, bytes - this.chunkBytes))
    return Math.max(0, Math.ceil((level - this.#level) / this.#bytesPerMs))
  }

  get #isUnlimited (): boolean {
    return this.#bytesPerMs === Infinity
  }

  #fill (nowMs: number): void {
    const elapsedMs = Math.max(0, nowMs - this.#atMs)
    this.#level = Math.min(this.#burstBytes, this.#level + elapsedMs * this.#bytesPerMs)
    this.#atMs = Math.max(this.#atMs, nowMs)
  }
}
