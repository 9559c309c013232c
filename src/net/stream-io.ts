import type { Stream } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import { StreamEnd } from './stream-end.ts'
import { FramingError, StreamEndedError, StreamOverflowError } from './stream-error.ts'
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

/** A libp2p stream as one reader and one writer may use it. Bytes are taken into a buffer that may not grow past what the protocol lets the other side send. */
export class StreamChannel {
  readonly #end: StreamEnd
  readonly #maxBufferedBytes: number
  readonly #maxUnsentBytes: number
  readonly #buffers: Uint8Array[] = []
  /** What small parts are gathered in; the last of the buffers may be a view of it. */
  #gathered = new Uint8Array(0)
  #bufferedBytes = 0
  readonly #cut = new AbortController()
  #reader: PromiseWithResolvers<void> | undefined

  constructor (stream: Stream, init: StreamChannelInit) {
    this.#maxBufferedBytes = init.maxBufferedBytes
    this.#maxUnsentBytes = init.maxUnsentBytes ?? DEFAULT_MAX_UNSENT_BYTES
    this.#end = new StreamEnd(stream, {
      onMessage: data => { this.#received(data) },
      onEnd: () => { this.#reader?.resolve() },
      onFailure: error => { this.#failed(error) }
    })
    this.#end.startReading()
  }

  /** Aborts when the stream is cut, whoever cut it: what works for this stream only can stop. */
  get cut (): AbortSignal {
    return this.#cut.signal
  }

  /** Neither side has ended it. */
  get isOpen (): boolean {
    return this.#end.isOpen
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
    this.#end.send(chunk)
    await this.#end.drained(this.#maxUnsentBytes, () => budget)
  }

  /** Ends our half when all is sent; aborts when that, or the other side's end, takes longer than `timeoutMs`. Never throws. */
  async close (timeoutMs: number): Promise<void> {
    await this.#end.close(timeoutMs)
  }

  /** Frees both halves at once; whoever waits on this channel fails with `reason`. */
  abort (reason: Error): void {
    this.#end.abort(reason)
  }

  /** Waits for a byte. @returns false at the clean end */
  async #readable (budget: WaitBudget): Promise<boolean> {
    while (this.#bufferedBytes === 0) {
      this.#end.throwIfFailed()
      if (this.#end.hasEnded) return false
      this.#reader = Promise.withResolvers<void>()
      await budget.run(this.#reader.promise, this.#reader.reject)
    }
    return true
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

  #received (data: Uint8Array | Uint8ArrayList): void {
    if (data instanceof Uint8Array) this.#store(data)
    else for (const part of data) this.#store(part)
    this.#bufferedBytes += data.byteLength
    if (this.#bufferedBytes > this.#maxBufferedBytes) this.#end.abort(new StreamOverflowError(this.#bufferedBytes, this.#maxBufferedBytes))
    this.#reader?.resolve()
  }

  /** What was buffered is void. */
  #failed (error: Error): void {
    this.#cut.abort(error)
    this.#buffers.length = 0
    this.#bufferedBytes = 0
    this.#reader?.reject(error)
  }
}
