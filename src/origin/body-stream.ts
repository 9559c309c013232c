import { DeadlineError } from '../errors.ts'
import type { Dispatcher } from 'undici'

/** Bytes that may wait here for the reader before the socket is paused. */
const HIGH_WATER_BYTES = 256 * 1024

export interface BodyDeadlines {
  /** From now to the first byte. */
  readonly firstByteMs: number
  /** Without a byte, while the reader has room. */
  readonly stallMs: number
}

/**
 * The body of one answer, between undici's callbacks and one reader. Owns the queue of chunks and the stall timer.
 * Chunks pass untouched; the socket is paused while more than `HIGH_WATER_BYTES` wait. `take` is synchronous, so that
 * a reader that keeps up costs no promise of ours. What came before an error is delivered before the error.
 */
export class BodyStream {
  readonly #controller: Dispatcher.DispatchController
  readonly #deadlines: BodyDeadlines
  #queue: Uint8Array[] = []
  #head = 0
  #queuedBytes = 0
  #ended = false
  #error: Error | undefined
  #wake: (() => void) | undefined
  #timer: NodeJS.Timeout | undefined
  #hasBytes = false
  #waitingSince = performance.now()

  constructor (controller: Dispatcher.DispatchController, deadlines: BodyDeadlines) {
    this.#controller = controller
    this.#deadlines = deadlines
    this.#watch(deadlines.firstByteMs)
  }

  /** The next chunk if one is here; undefined says nothing about the end: ask `more`. */
  take (): Uint8Array | undefined {
    const chunk = this.#queue[this.#head]
    if (chunk === undefined) return undefined
    this.#head++
    this.#queuedBytes -= chunk.length
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
      if (this.#controller.paused && !this.#ended) {
        this.#waitingSince = performance.now()
        this.#controller.resume()
      }
    }
    return chunk
  }

  /** Waits until `take` has a chunk (true) or the body has ended (false). One waiter at a time. */
  async more (): Promise<boolean> {
    if (this.#head < this.#queue.length) return true
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
        this.#queue.splice(this.#head, 0, chunk.subarray(left))
        this.#queuedBytes += chunk.length - left
      }
      left -= chunk.length
    }
  }

  /** Drops the connection, unless the body has come to its end already. */
  cancel (reason: Error): void {
    if (this.#ended) return
    this.#queue = []
    this.#head = 0
    this.#queuedBytes = 0
    this.fail(reason)
    this.#controller.abort(reason)
  }

  push (chunk: Uint8Array): void {
    this.#hasBytes = true
    this.#waitingSince = performance.now()
    this.#queue.push(chunk)
    this.#queuedBytes += chunk.length
    if (this.#queuedBytes >= HIGH_WATER_BYTES) this.#controller.pause()
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

  #wakeReader (): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }

  #watch (delayMs: number): void {
    this.#timer = setTimeout(() => {
      const limitMs = this.#hasBytes ? this.#deadlines.stallMs : this.#deadlines.firstByteMs
      const leftMs = this.#controller.paused ? limitMs : limitMs - (performance.now() - this.#waitingSince)
      // Timers may fire a moment early.
      if (leftMs > 1) return this.#watch(leftMs)
      const error = new DeadlineError(this.#hasBytes ? 'stall' : 'first byte', limitMs)
      this.fail(error)
      this.#controller.abort(error)
    }, delayMs)
  }
}
