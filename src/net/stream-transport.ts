import type { Stream } from '@libp2p/interface'
import { FrameInlet } from './frame-inlet.ts'
import { LaneClosedError, type FrameTransport } from './frame-transport.ts'
import { StreamEnd } from './stream-end.ts'
import { WaitBudget } from './wait-budget.ts'

const DEFAULT_STALL_TIMEOUT_MS = 30_000
const DEFAULT_CLOSE_TIMEOUT_MS = 2_000

export interface StreamTransportInit {
  /** How long the other side may take nothing of what is sent. @default 30000 */
  readonly stallTimeoutMs?: number
  /** How long the end may take. @default 2000 */
  readonly closeTimeoutMs?: number
}

/** The lane that always works: a libp2p stream, encrypted by noise. */
export class StreamTransport implements FrameTransport {
  readonly lane = 'libp2p'
  readonly #end: StreamEnd
  readonly #inlet = new FrameInlet(() => { this.#end.startReading() })
  readonly #stallTimeoutMs: number
  readonly #closeTimeoutMs: number
  /** The send before; one at a time is in the stream, so that each knows when its own bytes have gone. */
  #last: Promise<void> = Promise.resolve()
  /** Of sends that the stream has not been given. */
  #queuedBytes = 0
  #closing: Promise<void> | undefined
  #isPaused = false

  constructor (stream: Stream, init: StreamTransportInit = {}) {
    this.#stallTimeoutMs = init.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS
    this.#closeTimeoutMs = init.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS
    this.#end = new StreamEnd(stream, {
      onMessage: data => {
        if (data instanceof Uint8Array) this.#inlet.deliver(data)
        else for (const part of data) this.#inlet.deliver(part)
      },
      // Not at once: the constructor may not have returned, and a stream tells of its end while it hands over the last bytes.
      onEnd: () => { queueMicrotask(() => { this.#endedByPeer() }) },
      onFailure: error => { this.#inlet.end(error) }
    })
    this.#end.hold()
  }

  get onBytes (): FrameTransport['onBytes'] {
    return this.#inlet.onBytes
  }

  set onBytes (handler: FrameTransport['onBytes']) {
    this.#inlet.onBytes = handler
  }

  get onClosed (): FrameTransport['onClosed'] {
    return this.#inlet.onClosed
  }

  set onClosed (handler: FrameTransport['onClosed']) {
    this.#inlet.onClosed = handler
  }

  get unsentBytes (): number {
    return this.#queuedBytes + this.#end.unsentBytes
  }

  /** What the stream's window lets the sender send still comes, and is kept. */
  pause (): void {
    if (this.#inlet.hasEnded) return
    this.#isPaused = true
    this.#inlet.pause()
    this.#end.hold()
  }

  resume (): void {
    this.#isPaused = false
    this.#inlet.resume()
  }

  async send (parts: readonly Uint8Array[]): Promise<void> {
    if (this.#inlet.hasEnded) throw this.#closedError()
    // A copy: a stream that has drained has handed its bytes to the connection, where they may wait to be encrypted, and nothing
    // tells when they have been.
    const bytes = Buffer.concat(parts)
    const length = bytes.byteLength
    this.#queuedBytes += length
    const sending = this.#last.then(async () => {
      this.#queuedBytes -= length
      await this.#sendNow(bytes)
    })
    this.#last = sending.catch(() => {})
    await sending
  }

  async close (): Promise<void> {
    this.#inlet.end(undefined, { isByUs: true })
    // the other side's end comes behind all that it still sends
    if (this.#isPaused) this.#end.startReading()
    this.#isPaused = false
    await this.#finish()
  }

  abort (reason: Error): void {
    this.#inlet.end(reason)
    this.#end.abort(reason)
  }

  /** All that is sent goes out before our half ends. */
  async #finish (): Promise<void> {
    this.#closing ??= (async () => {
      const timer = setTimeout(() => { this.#end.abort(this.#closedError()) }, this.#closeTimeoutMs)
      await this.#last
      clearTimeout(timer)
      await this.#end.close(this.#closeTimeoutMs)
    })()
    await this.#closing
  }

  async #sendNow (bytes: Uint8Array): Promise<void> {
    try {
      this.#end.send(bytes)
      await this.#end.drained(0, () => new WaitBudget('sending', this.#stallTimeoutMs))
    } catch (error) {
      this.abort(error as Error)
      throw this.#closedError()
    }
  }

  #endedByPeer (): void {
    if (this.#inlet.hasEnded) return
    this.#inlet.end(undefined)
    this.#finish().catch(() => {})
  }

  #closedError (): LaneClosedError {
    return new LaneClosedError(this.lane, { cause: this.#end.failure })
  }
}
