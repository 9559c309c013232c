import { Readable } from 'node:stream'
import type { ImagePullEvent } from '../../src/pull/images.ts'

/** Events waiting for a slow reader, in bytes: an image of the largest manifest there can be, several times over. */
const DEFAULT_MAX_WAITING_BYTES = 16 * 1024 * 1024

/** Progress of blobs is told at most so often, in milliseconds: pieces come faster than anybody can look. */
const PROGRESS_INTERVAL_MS = 100
/** Lines that are given together, about, in characters. */
const CHUNK_LENGTH = 16 * 1024

/** What ends a pull that failed. */
export interface PullErrorEvent {
  readonly type: 'error'
  readonly code: string
  readonly message: string
}

export interface EventLinesInit {
  /** Bytes that may wait before the reader is given up. @default 16 MiB */
  readonly maxWaitingBytes?: number
}

/**
 * Events of a pull as newline-delimited JSON, in order, at the pace of their reader. Progress waits a moment, for what comes
 * next or for more of it: the newest of a blob takes the place of the one before. A reader so slow that even then too much
 * waits is cut off.
 */
export class EventLines extends Readable {
  readonly #maxWaitingBytes: number
  /** By what replaces what, in the order in which they are sent. */
  readonly #waiting = new Map<string, string>()
  #waitingBytes = 0
  #written = 0
  #isEnded = false
  #isWanted = false
  #timer: NodeJS.Timeout | undefined

  constructor (init: EventLinesInit = {}) {
    super()
    this.#maxWaitingBytes = init.maxWaitingBytes ?? DEFAULT_MAX_WAITING_BYTES
  }

  add (event: ImagePullEvent | PullErrorEvent): void {
    if (this.#isEnded || this.destroyed) return
    const key = event.type === 'progress' ? `progress ${event.digest}` : `event ${this.#written}`
    const line = `${JSON.stringify(event)}\n`
    this.#waitingBytes += line.length - (this.#waiting.get(key)?.length ?? 0)
    this.#waiting.set(key, line)
    this.#written += 1
    if (this.#waitingBytes > this.#maxWaitingBytes) this.destroy(new RangeError(`more than ${this.#maxWaitingBytes} bytes of events wait for their reader`))
    else if (event.type !== 'progress') this.#flush()
    else this.#timer ??= setTimeout(() => { this.#flush() }, PROGRESS_INTERVAL_MS)
  }

  /** No more events: ends the stream after those that wait. */
  finish (): void {
    this.#isEnded = true
    this.#flush()
  }

  override _read (): void {
    this.#isWanted = true
    this.#flush()
  }

  override _destroy (error: Error | null, callback: (error?: Error | null) => void): void {
    clearTimeout(this.#timer)
    callback(error)
  }

  #flush (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    while (this.#isWanted && this.#waiting.size > 0) this.#isWanted = this.push(this.#nextLines())
    if (this.#isEnded && this.#isWanted && !this.destroyed) this.push(null)
  }

  #nextLines (): string {
    let text = ''
    for (const [key, line] of this.#waiting) {
      if (text.length >= CHUNK_LENGTH) break
      this.#waiting.delete(key)
      this.#waitingBytes -= line.length
      text += line
    }
    return text
  }
}
