import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { StreamCutError } from './stream-error.ts'
import type { WaitBudget } from './wait-budget.ts'

export interface StreamEndHandlers {
  /** Something arrived. */
  onMessage (data: Uint8Array | Uint8ArrayList): void
  /** The other side has ended its half; what it sent before has arrived. */
  onEnd (): void
  /** It is cut, whoever cut it. Called once. */
  onFailure (error: Error): void
}

interface Waiter {
  resolve (): void
  reject (error: Error): void
}

/**
 * Our end of a libp2p stream, and the only place that knows what a stream does:
 * - It is an event target. `drain` promises of its own settle once, so each wait listens anew; `drain` says that some
 *   room is there, not that ours is, so the unsent bytes are looked at again.
 * - What was sent is referenced until it has drained. Once nothing is unsent and no drain is due it has been encrypted.
 * - `pause` by whoever takes what `resume` hands on is half undone by the rest of `resume`: it must wait for it.
 * - Its own iterator has no back-pressure and hangs when the other side's end came first. Here bytes come by event.
 * - `close` ends only our half, nothing enforces a time limit, and only `abort` frees both halves at once.
 * - `abort` within an event would pull the stream from under its own loop.
 */
export class StreamEnd {
  readonly #stream: Stream
  readonly #handlers: StreamEndHandlers
  #failure: Error | undefined
  #hasEnded = false
  #isReceiving = false
  #isListening = false
  #isHeld = false
  #isResuming = false
  #writer: Waiter | undefined

  constructor (stream: Stream, handlers: StreamEndHandlers) {
    this.#stream = stream
    this.#handlers = handlers
    stream.addEventListener('close', this.#onClose)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('drain', this.#onDrain)
    stream.addEventListener('idle', this.#onDrain)
    // A stream may be dead on arrival: a refused one resolves as already reset, and its `close` has been.
    if (stream.status === 'reset' || stream.status === 'aborted') this.fail(new StreamCutError())
    else if (stream.readableEnded || stream.status === 'closed') this.#onEnd()
  }

  get failure (): Error | undefined {
    return this.#failure
  }

  get hasEnded (): boolean {
    return this.#hasEnded
  }

  /** Neither side has ended it. */
  get isOpen (): boolean {
    return this.#failure === undefined && !this.#hasEnded && this.#stream.status === 'open'
  }

  get unsentBytes (): number {
    return this.#stream.writeBufferLength
  }

  /** The other side may send no more than a window before `startReading`, which may be called again. */
  hold (): void {
    this.#isHeld = true
    if (this.isOpen && !this.#isResuming) this.#stream.pause()
  }

  /** Messages come from now on. */
  startReading (): void {
    if (!this.#isListening) this.#stream.addEventListener('message', this.#onMessage)
    this.#isListening = true
    this.#isHeld = false
    if (!this.isOpen) return
    this.#isResuming = true
    try {
      this.#stream.resume()
    } finally {
      this.#isResuming = false
    }
    if (this.#isHeld) this.hold()
  }

  throwIfFailed (): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Hands the chunk to the stream; it must not be changed until `drained`. @throws StreamCutError */
  send (chunk: Uint8Array | Uint8ArrayList): void {
    this.throwIfFailed()
    try {
      this.#stream.send(chunk)
    } catch (error) {
      throw new StreamCutError({ cause: error })
    }
  }

  /** Waits while more than `maxUnsentBytes` are unsent; one at a time. @throws StreamCutError, DeadlineError */
  async drained (maxUnsentBytes: number, budget: () => WaitBudget): Promise<void> {
    while (this.#stream.writableNeedsDrain || this.#stream.writeBufferLength > maxUnsentBytes) {
      this.throwIfFailed()
      if (this.#stream.status !== 'open') throw new StreamCutError()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      this.#writer = { resolve, reject }
      await budget().run(promise, reject)
    }
  }

  /** Ends our half when all is sent; aborts when that, or the other side's end, takes longer than `timeoutMs`. Never throws. */
  async close (timeoutMs: number): Promise<void> {
    const signal = AbortSignal.timeout(timeoutMs)
    const closed = this.#closed(signal)
    try {
      await this.#stream.close({ signal })
      await closed
    } catch (error) {
      this.abort(new StreamCutError({ cause: error }))
      await closed.catch(() => {})
    }
  }

  /** Frees both halves at once; whoever waits fails with `reason`. */
  abort (reason: Error): void {
    this.fail(reason)
    if (this.#isReceiving) queueMicrotask(() => { this.#stream.abort(reason) })
    else this.#stream.abort(reason)
  }

  /** The first failure is the one everybody sees. */
  fail (error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#handlers.onFailure(error)
    this.#writer?.reject(error)
  }

  async #closed (signal: AbortSignal): Promise<void> {
    if (this.#stream.status !== 'open' && this.#stream.status !== 'closing') return
    const { promise, resolve } = Promise.withResolvers<void>()
    const settle = (): void => { resolve() }
    signal.addEventListener('abort', settle, { once: true })
    this.#stream.addEventListener('close', settle, { once: true })
    await promise
    signal.removeEventListener('abort', settle)
    signal.throwIfAborted()
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    if (this.#failure !== undefined) return
    this.#isReceiving = true
    try {
      this.#handlers.onMessage(event.data)
    } finally {
      this.#isReceiving = false
    }
  }

  readonly #onEnd = (): void => {
    if (this.#hasEnded) return
    this.#hasEnded = true
    this.#handlers.onEnd()
  }

  readonly #onClose = (event: StreamCloseEvent): void => {
    if (event.error === undefined) {
      this.#onEnd()
      this.#writer?.reject(new StreamCutError())
    } else {
      this.fail(new StreamCutError({ cause: event.error }))
    }
  }

  readonly #onDrain = (): void => {
    this.#writer?.resolve()
  }
}
