import type { OnReadOpts, Socket } from 'node:net'

/** What one read takes at the most. */
const MAX_BUFFER_BYTES = 256 * 1024
const MIN_BUFFER_BYTES = 16 * 1024
/** The same in milliseconds of the pace at which bodies are read: a few of them come ahead of the reader. */
const BUFFER_MS = 8
/** Reads that may be lent before the socket is paused. Over TLS a few more come then, which were decrypted already. */
const MAX_LENT = 7

/** Takes what was read. The bytes are lent: they stay as they are until `Wire.release`. */
export type WireReceiver = (bytes: Uint8Array) => void

/**
 * The reading side of one socket, by Node's `onread`: bytes go from the kernel into a few buffers of ours, which a
 * Node stream would allocate anew for each read. Whoever receives them gives them back in the order they came; while
 * many are lent the socket is paused.
 */
export class Wire {
  /** For `net.connect` or `tls.connect`. */
  readonly onread: OnReadOpts
  readonly #free: Buffer[] = []
  /** In the order they were read. */
  readonly #lent: Buffer[] = []
  readonly #bufferBytes: number
  #next: Buffer
  #isHeld = false
  #socket: Socket | undefined
  readonly #refuse: WireReceiver = () => { this.#socket?.destroy() }
  #receive = this.#refuse

  /** @param bytesPerSecond - at which bodies are read, at the most */
  constructor (bytesPerSecond = Infinity) {
    this.#bufferBytes = Math.min(MAX_BUFFER_BYTES, Math.max(MIN_BUFFER_BYTES, Math.floor(bytesPerSecond / 1000 * BUFFER_MS)))
    this.#next = Buffer.allocUnsafeSlow(this.#bufferBytes)
    this.onread = {
      buffer: () => this.#next,
      callback: length => this.#received(length)
    }
  }

  /** The socket that was made with `onread`. */
  get socket (): Socket {
    if (this.#socket === undefined) throw new Error('not connected')
    return this.#socket
  }

  attach (socket: Socket): void {
    this.#socket = socket
  }

  /** @param receiver from the next read on; undefined: what comes now is a fault */
  receiveBy (receiver: WireReceiver | undefined): void {
    this.#receive = receiver ?? this.#refuse
  }

  /** Reads wait for their receiver. */
  get isFull (): boolean {
    return this.#lent.length >= MAX_LENT
  }

  get isLent (): boolean {
    return this.#lent.length > 0
  }

  /** Gives back the oldest bytes that are lent. */
  release (): void {
    const wasFull = this.isFull
    const buffer = this.#lent.shift()
    if (buffer !== undefined && this.#free.length < MAX_LENT) this.#free.push(buffer)
    if (wasFull && !this.isFull && !this.#isHeld) this.#socket?.resume()
  }

  /** No further read before `resume`, whatever is lent. For the receiver, while it receives. */
  hold (): void {
    this.#isHeld = true
  }

  resume (): void {
    this.#isHeld = false
    if (!this.isFull) this.#socket?.resume()
  }

  #received (length: number): boolean {
    const buffer = this.#next
    this.#lent.push(buffer)
    this.#receive(buffer.subarray(0, length))
    this.#next = this.#free.pop() ?? Buffer.allocUnsafeSlow(this.#bufferBytes)
    return !this.isFull && !this.#isHeld
  }
}
