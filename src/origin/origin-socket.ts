import { Duplex } from 'node:stream'
import type { Wire } from './wire.ts'

/** undici gets an answer in parts of this length: the first nearly always holds the head, and the body after it need not be copied. */
const PART_BYTES = 16 * 1024

/** Takes a body off its socket, past undici. */
export interface BodySink {
  /** Bytes of the body that are still to come. */
  left (): number
  /** The connection outlives this body. */
  readonly isReusable: boolean
  /** @param release to be called, in the order of the pushes, when the bytes have been used */
  push (bytes: Uint8Array, release: () => void): void
  /** The last byte has come. */
  end (): void
}

/**
 * A socket as undici needs it, with a way past it: undici's parser copies each read and allocates for it, which costs
 * 0.7 CPU s/GB against 0.1 for reads into reused buffers. So undici reads the head of an answer, and `divert` takes
 * the body. A socket that was diverted is lost to undici at the body's end; its wire can serve another.
 */
export class OriginSocket extends Duplex {
  static #lastRead: OriginSocket | undefined
  readonly #wire: Wire
  readonly #onIdle: (wire: Wire) => void
  readonly #handlers: { readonly end: () => void, readonly error: (error: Error) => void, readonly close: () => void }
  readonly #release = (): void => { this.#released() }
  /** Read, but neither undici's nor the sink's yet. */
  readonly #held: Uint8Array[] = []
  #sink: BodySink | undefined
  #hasEnded = false
  /** The other side has ended the connection, and undici does not know it yet. */
  #isEnding = false
  /** No byte has come beyond the body's end. */
  #isClean = true
  #isDetached = false

  /** @param onIdle told when the wire has brought a diverted body to its end and can serve another request */
  constructor (wire: Wire, onIdle: (wire: Wire) => void) {
    super({ highWaterMark: 64 * 1024 })
    this.#wire = wire
    this.#onIdle = onIdle
    this.#handlers = {
      end: () => {
        this.#isEnding = true
        this.#drained()
      },
      error: error => { this.destroy(error) },
      close: () => { if (this.#held.length === 0) this.destroy() }
    }
    for (const [event, handler] of Object.entries(this.#handlers)) wire.socket.on(event, handler)
    wire.receiveBy(bytes => { this.#received(bytes) })
    wire.resume()
  }

  /** The socket whose bytes undici parses at this moment: it does so in the turn in which it reads them. */
  static get lastRead (): OriginSocket | undefined {
    return OriginSocket.#lastRead
  }

  /** From the next read on, all bytes are the sink's. To be called while undici parses the head of the answer. */
  divert (sink: BodySink): void {
    this.#sink = sink
  }

  get isFull (): boolean {
    return this.#wire.isFull
  }

  ref (): this {
    this.#wire.socket.ref()
    return this
  }

  unref (): this {
    this.#wire.socket.unref()
    return this
  }

  override read (size?: number): unknown {
    OriginSocket.#lastRead = this
    return super.read(size) as unknown
  }

  override _read (): void {
    // undici parses what it reads in this turn, and may divert the rest
    if (this.#held.length > 0) queueMicrotask(() => { this.#pass() })
    else this.#wire.resume()
  }

  override _write (chunk: Uint8Array, encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#wire.socket.write(chunk, encoding, callback)
  }

  override _final (callback: (error?: Error | null) => void): void {
    this.#wire.socket.end(callback)
  }

  override _destroy (error: Error | null, callback: (error: Error | null) => void): void {
    if (this.#detach()) this.#wire.socket.destroy()
    callback(error)
  }

  #received (bytes: Uint8Array): void {
    this.#held.push(bytes)
    if (this.#held.length === 1) this.#pass()
  }

  /** Gives what is held to the sink, or its next part to undici. */
  #pass (): void {
    for (let bytes = this.#held[0]; bytes !== undefined; bytes = this.#held[0]) {
      if (this.#isDetached) return
      // undici had all of the last body in the part that brought its head
      if (this.#sink?.left() === 0 && !this.#hasEnded) this.#sink = undefined
      if (this.#sink === undefined) return this.#giveUndici(bytes)
      this.#held.shift()
      this.#giveSink(this.#sink, bytes)
    }
    this.#drained()
    this.#wire.resume()
  }

  #giveUndici (bytes: Uint8Array): void {
    const part = Buffer.from(bytes.subarray(0, PART_BYTES))
    if (part.length < bytes.length) this.#held[0] = bytes.subarray(part.length)
    else {
      this.#held.shift()
      this.#wire.release()
    }
    const hasRoom = this.push(part)
    if (!hasRoom || this.#held.length > 0) this.#wire.hold()
    this.#drained()
  }

  #giveSink (sink: BodySink, bytes: Uint8Array): void {
    const left = sink.left()
    this.#isClean = bytes.length <= left
    sink.push(bytes.subarray(0, left), this.#release)
    if (bytes.length >= left) {
      this.#hasEnded = true
      sink.end()
    }
  }

  /** What came before the end of the connection has been passed on: so may be the end. */
  #drained (): void {
    if (this.#held.length > 0) return
    const isClosed = this.#wire.socket.destroyed
    if (this.#isEnding) {
      this.#isEnding = false
      this.push(null)
      if (isClosed) this.once('end', () => { this.destroy() })
    } else if (isClosed) {
      this.destroy()
    }
  }

  #released (): void {
    this.#wire.release()
    if (!this.#hasEnded || this.#wire.isLent) return
    if (this.#isClean && this.#sink?.isReusable === true && this.#detach()) this.#onIdle(this.#wire)
    this.destroy()
  }

  /** @returns false when it was done before */
  #detach (): boolean {
    if (this.#isDetached) return false
    this.#isDetached = true
    for (const [event, handler] of Object.entries(this.#handlers)) this.#wire.socket.off(event, handler)
    return true
  }
}
