import { DeadlineError } from '../errors.ts'

/** Bytes that may wait here for the reader before the socket is paused. */
const HIGH_WATER_BYTES = 256 * 1024

export interface BodyDeadlines {
  /** From now to the first byte. */
  readonly firstByteMs: number
  /** Without a byte, while the reader has room. */
  readonly stallMs: number
}

/** What a body does to the connection that it comes by. */
export interface BodyControl {
  readonly paused: boolean
  pause (): void
  resume (): void
  /** Drops the connection. */
  abort (reason: Error): void
}

interface Chunk {
  readonly bytes: Uint8Array
  readonly release: (() => void) | undefined
}

/**
 * The body of one answer, between its connection and one reader. Owns the queue of chunks and the stall timer.
 * Chunks pass untouched, and are the reader's until it asks for the next; the socket is paused while more than
 * `HIGH_WATER_BYTES` wait. `take` is synchronous, so that a reader that keeps up costs no promise of ours. What came
 * before an error is delivered before the error.
 */
export class BodyStream {
  readonly #control: BodyControl
  readonly #deadlines: BodyDeadlines
  #queue: Chunk[] = []
  #head = 0
  #queuedBytes = 0
  /** Gives back the chunk that the reader has. */
  #release: (() => void) | undefined
  #ended = false
  #error: Error | undefined
  #wake: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #hasBytes = false
  #waitingSince = performance.now()

  constructor (control: BodyControl, deadlines: BodyDeadlines) {
    this.#control = control
    this.#deadlines = deadlines
    this.#watch(deadlines.firstByteMs)
  }

  /**
   * The next chunk if one is here, for use until the next call; undefined says nothing about the end: ask `more`.
   */
  take (): Uint8Array | undefined {
    const wasPaused = this.#control.paused
    this.#releaseTaken()
    const chunk = this.#queue[this.#head]
    if (chunk !== undefined) {
      this.#release = chunk.release
      this.#head++
      this.#queuedBytes -= chunk.bytes.length
    }
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
      if (this.#control.paused && !this.#ended) this.#control.resume()
    }
    if (wasPaused && !this.#control.paused) this.#waitingSince = performance.now()
    return chunk?.bytes
  }

  /** Waits until `take` has a chunk (true) or the body has ended (false). One waiter at a time. */
  async more (): Promise<boolean> {
    if (this.#head < this.#queue.length) return true
    this.#releaseTaken()
    if (!this.#ended) await new Promise<void>(resolve => { this.#wake = resolve })
    if (this.#head < this.#queue.length) return true
    if (this.#error !== undefined) throw this.#error
    return false
  }

  /** Reads and drops bytes from the front; fewer when the body ends before. */
  async skip (bytes: number): Promise<void> {
    for (let left = bytes; left > 0 && await this.more();) {
      const chunk = this.take() as Uint8Array
      if (chunk.length > left) {
        this.#queue.splice(this.#head, 0, { bytes: chunk.subarray(left), release: this.#release })
        this.#queuedBytes += chunk.length - left
        this.#release = undefined
      }
      left -= chunk.length
    }
  }

  /** Drops the connection, unless the body has come to its end and nothing of it is in the connection's own buffers. */
  cancel (reason: Error): void {
    if (this.#ended && !this.#isBorrowing) return
    this.#queue = []
    this.#head = 0
    this.#queuedBytes = 0
    this.#release = undefined
    this.fail(reason)
    this.#control.abort(reason)
  }

  /** @param release to be called when the bytes are not used any more, in the order of the pushes; never after `cancel` */
  push (bytes: Uint8Array, release?: () => void): void {
    this.#hasBytes = true
    this.#waitingSince = performance.now()
    this.#queue.push({ bytes, release })
    this.#queuedBytes += bytes.length
    if (this.#queuedBytes >= HIGH_WATER_BYTES) this.#control.pause()
    this.#wakeReader()
  }

  end (): void {
    if (this.#ended) return
    this.#ended = true
    clearTimeout(this.#timer)
    this.#wakeReader()
  }

  fail (error: Error): void {
    if (this.#ended) return
    this.#error = error
    this.end()
  }

  get #isBorrowing (): boolean {
    return this.#release !== undefined || this.#queue.some(({ release }) => release !== undefined)
  }

  #releaseTaken (): void {
    const release = this.#release
    this.#release = undefined
    release?.()
  }

  #wakeReader (): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #watch (delayMs: number): void {
    this.#timer = setTimeout(() => {
      const limitMs = this.#hasBytes ? this.#deadlines.stallMs : this.#deadlines.firstByteMs
      const leftMs = this.#control.paused ? limitMs : limitMs - (performance.now() - this.#waitingSince)
      // Timers may fire a moment early.
      if (leftMs > 1) return this.#watch(leftMs)
      const error = new DeadlineError(this.#hasBytes ? 'stall' : 'first byte', limitMs)
      this.fail(error)
      this.#control.abort(error)
    }, delayMs)
  }
}
