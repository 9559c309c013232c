import type { Stream, StreamCloseEvent, StreamMessageEvent } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { FramingError, StreamCutError, StreamEndedError, StreamOverflowError } from './stream-error.ts'
import { decodeVarint } from './varint.ts'
import type { WaitBudget } from './wait-budget.ts'

/** Unsent bytes a stream may hold before `send` waits. */
const DEFAULT_MAX_UNSENT_BYTES = 256 * 1024
/** Parts below this are gathered in buffers of `GATHER_BYTES`. */
const SMALL_PART_BYTES = 4 * 1024
const GATHER_BYTES = 16 * 1024

export interface StreamChannelInit {
  /** Unread bytes the other side may cause us to hold; above it the stream is aborted. */
  readonly maxBufferedBytes: number
  /** @default 262144 */
  readonly maxUnsentBytes?: number
}

interface Waiter {
  resolve (): void
  reject (error: Error): void
}

/**
 * A libp2p stream as one reader and one writer may use it, and the only place that knows what a stream does:
 * - It is an event target. `drain` promises of its own settle once, so each wait listens anew; `drain` says that some
 *   room is there, not that ours is, so the unsent bytes are looked at again.
 * - What was sent is referenced until it has drained: chunks given to `send` must not be reused.
 * - Its own iterator has no back-pressure and hangs when the other side's end came first. Here bytes are taken by event
 *   into a buffer that may not grow past what the protocol lets the other side send.
 * - `close` ends only our half, nothing enforces a time limit, and only `abort` frees both halves at once.
 */
export class StreamChannel {
  readonly #stream: Stream
  readonly #maxBufferedBytes: number
  readonly #maxUnsentBytes: number
  readonly #buffers: Uint8Array[] = []
  /** What small parts are gathered in; the last of the buffers may be a view of it. */
  #gathered = new Uint8Array(0)
  #bufferedBytes = 0
  #hasEnded = false
  #failure: Error | undefined
  readonly #cut = new AbortController()
  #reader: Waiter | undefined
  #writer: Waiter | undefined

  constructor (stream: Stream, init: StreamChannelInit) {
    this.#stream = stream
    this.#maxBufferedBytes = init.maxBufferedBytes
    this.#maxUnsentBytes = init.maxUnsentBytes ?? DEFAULT_MAX_UNSENT_BYTES
    stream.addEventListener('close', this.#onClose)
    stream.addEventListener('end', this.#onEnd)
    stream.addEventListener('drain', this.#onDrain)
    stream.addEventListener('idle', this.#onDrain)
    stream.addEventListener('message', this.#onMessage)
    // A stream may be dead on arrival: a refused one resolves as already reset, and its `close` has been.
    if (stream.status === 'reset' || stream.status === 'aborted') this.#fail(new StreamCutError())
    else if (stream.readableEnded || stream.status === 'closed') this.#onEnd()
  }

  /** Aborts when the stream is cut, whoever cut it: what works for this stream only can stop. */
  get cut (): AbortSignal {
    return this.#cut.signal
  }

  /** Neither side has ended it. */
  get isOpen (): boolean {
    return this.#failure === undefined && !this.#hasEnded && this.#stream.status === 'open'
  }

  /** @returns up to `maxBytes` of what is there, at least one byte. @throws StreamEndedError, StreamCutError, StreamOverflowError, DeadlineError */
  async read (maxBytes: number, budget: WaitBudget): Promise<Uint8Array> {
    if (!await this.#readable(budget)) throw new StreamEndedError('inside a body')
    return this.#take(maxBytes)
  }

  /**
   * The next length-prefixed message; undefined when the other side ended cleanly before it.
   * @throws FramingError, and as `read`
   */
  async readMessage (maxLength: number, budget: WaitBudget): Promise<Uint8Array | undefined> {
    if (!await this.#readable(budget)) return undefined
    const prefix: number[] = []
    let length = decodeVarint(Uint8Array.from(prefix))
    while (length === undefined) {
      if (prefix.length > 0 && !await this.#readable(budget)) throw new StreamEndedError('inside a message')
      prefix.push(...this.#take(1))
      length = decodeVarint(Uint8Array.from(prefix))
    }
    if (length === 'invalid' || length.value === 0 || length.value > maxLength) {
      throw new FramingError(length === 'invalid' ? 'broken varint' : `${length.value}, allowed are 1 to ${maxLength}`)
    }
    const message = new Uint8Array(length.value)
    let filled = 0
    while (filled < message.byteLength) {
      if (!await this.#readable(budget)) throw new StreamEndedError('inside a message')
      const part = this.#take(message.byteLength - filled)
      message.set(part, filled)
      filled += part.byteLength
    }
    return message
  }

  /** Sends, and waits while too much is unsent. The chunk must not be reused. @throws StreamCutError, DeadlineError */
  async send (chunk: Uint8Array | Uint8ArrayList, budget: WaitBudget): Promise<void> {
    this.#throwIfFailed()
    try {
      this.#stream.send(chunk)
    } catch (error) {
      throw new StreamCutError({ cause: error })
    }
    while (this.#stream.writableNeedsDrain || this.#stream.writeBufferLength > this.#maxUnsentBytes) {
      this.#throwIfFailed()
      if (this.#stream.status !== 'open') throw new StreamCutError()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      this.#writer = { resolve, reject }
      await budget.run(promise, reject)
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

  /** Frees both halves at once; whoever waits on this channel fails with `reason`. */
  abort (reason: Error): void {
    this.#fail(reason)
    this.#stream.abort(reason)
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

  /** Waits for a byte. @returns false at the clean end */
  async #readable (budget: WaitBudget): Promise<boolean> {
    while (this.#bufferedBytes === 0) {
      this.#throwIfFailed()
      if (this.#hasEnded) return false
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      this.#reader = { resolve, reject }
      await budget.run(promise, reject)
    }
    return true
  }

  #throwIfFailed (): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #take (maxBytes: number): Uint8Array {
    const buffer = this.#buffers[0] as Uint8Array
    const taken = buffer.byteLength <= maxBytes ? buffer : buffer.subarray(0, maxBytes)
    if (taken === buffer) this.#buffers.shift()
    else this.#buffers[0] = buffer.subarray(maxBytes)
    this.#bufferedBytes -= taken.byteLength
    return taken
  }

  /** Small parts are gathered: a peer that sends single bytes must not cost more than one that does not. */
  #store (part: Uint8Array): void {
    if (part.byteLength >= SMALL_PART_BYTES) {
      this.#buffers.push(part)
      return
    }
    const last = this.#buffers.at(-1)
    const isGathered = last !== undefined && last.buffer === this.#gathered.buffer
    if (isGathered && last.byteOffset + last.byteLength + part.byteLength <= GATHER_BYTES) {
      this.#gathered.set(part, last.byteOffset + last.byteLength)
      this.#buffers[this.#buffers.length - 1] = this.#gathered.subarray(last.byteOffset, last.byteOffset + last.byteLength + part.byteLength)
      return
    }
    // what a reader was given of the one before stays as it is
    this.#gathered = new Uint8Array(GATHER_BYTES)
    this.#gathered.set(part)
    this.#buffers.push(this.#gathered.subarray(0, part.byteLength))
  }

  readonly #onMessage = (event: StreamMessageEvent): void => {
    if (this.#failure !== undefined) return
    if (event.data instanceof Uint8Array) this.#store(event.data)
    else for (const part of event.data) this.#store(part)
    this.#bufferedBytes += event.data.byteLength
    if (this.#bufferedBytes > this.#maxBufferedBytes) {
      const error = new StreamOverflowError(this.#bufferedBytes, this.#maxBufferedBytes)
      this.#fail(error)
      // Aborting inside the dispatch would pull the stream from under its own loop.
      queueMicrotask(() => { this.#stream.abort(error) })
    }
    this.#reader?.resolve()
  }

  readonly #onEnd = (): void => {
    this.#hasEnded = true
    this.#reader?.resolve()
  }

  readonly #onClose = (event: StreamCloseEvent): void => {
    if (event.error === undefined) {
      this.#onEnd()
      this.#writer?.reject(new StreamCutError())
    } else {
      this.#fail(new StreamCutError({ cause: event.error }))
    }
  }

  readonly #onDrain = (): void => {
    this.#writer?.resolve()
  }

  /** The first failure is the one everybody sees; what was buffered is void. */
  #fail (error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#cut.abort(error)
    this.#buffers.length = 0
    this.#bufferedBytes = 0
    this.#reader?.reject(error)
    this.#writer?.reject(error)
  }
}
