import { Readable } from 'node:stream'
import type { ImagePullEvent } from '../../src/pull/images.ts'

/** Events waiting for a slow reader, in bytes: an image of the largest manifest there can be, several times over. */
const DEFAULT_MAX_WAITING_BYTES = 16 * 1024 * 1024

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
 * Events of a pull as newline-delimited JSON, in order, at the pace of their reader. For a slow one the newest progress
 * of a blob takes the place of the one before it; a reader so slow that even then too much waits is cut off.
 */
export class EventLines extends Readable {
  readonly #maxWaitingBytes: number
  /** By what replaces what, in the order in which they are sent. */
  readonly #waiting = new Map<string, string>()
  #waitingBytes = 0
  #written = 0
  #isEnded = false
  #isWanted = false

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
    else this.#flush()
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

  #flush (): void {
    for (const [key, line] of this.#waiting) {
      if (!this.#isWanted) return
      this.#waiting.delete(key)
      this.#waitingBytes -= line.length
      this.#isWanted = this.push(line)
    }
    if (this.#isEnded && this.#isWanted && !this.destroyed) this.push(null)
  }
}
