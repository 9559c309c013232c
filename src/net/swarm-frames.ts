import { decodeMessage } from './swarm-decode.ts'
import { MAX_SWARM_MESSAGE_LENGTH } from './swarm-limits.ts'
import { SwarmMessageError, type PieceMessage, type SwarmMessage } from './swarm-message.ts'

/*
 *   transport = *frame
 *   frame     = length message [ body ]
 *   length    = varint of at most three bytes, 1 … MAX_SWARM_MESSAGE_LENGTH: bytes of the message
 *   body      = exactly `length` raw bytes (field 5 of a `piece`); no other message has one
 */

const MAX_LENGTH_BYTES = 3

export interface FrameHandlers {
  /** A whole message; it is the receiver's to keep. A `piece` comes before its body. */
  onMessage (message: SwarmMessage): void
  /** The next bytes of the body of `message`, a view of what was pushed: valid only during the call. Never empty. */
  onBody (message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void
}

/**
 * What one transport brings, taken apart as it comes: one parser for each transport of a link. It keeps nothing but the
 * beginning of a message whose end has not come. It calls back from within `push`; what a handler throws ends it too.
 */
export class FrameParser {
  readonly #handlers: FrameHandlers
  #isClosed = false
  #hasSwitched = false
  // The length of the next message, as far as it has come.
  #length = 0
  #lengthBytes = 0
  // The message of that length; gathered only when it does not come whole.
  #isInMessage = false
  #gathered: Uint8Array | undefined
  #gatheredBytes = 0
  // The piece whose body comes.
  #piece: PieceMessage | undefined
  #bodyOffset = 0

  constructor (handlers: FrameHandlers) {
    this.#handlers = handlers
  }

  /** Takes no more: closed by `close`, or by an error. */
  get isClosed (): boolean {
    return this.#isClosed
  }

  /**
   * Bytes as they came, lent: none is referenced after the call. Ignored when closed.
   * @throws SwarmMessageError, and what a handler throws; nothing is taken afterwards
   */
  push (bytes: Uint8Array): void {
    try {
      let at = 0
      while (at < bytes.byteLength && !this.#isClosed) {
        if (this.#piece !== undefined) at = this.#readBody(this.#piece, bytes, at)
        else if (this.#isInMessage) at = this.#readMessage(bytes, at)
        else at = this.#readLength(bytes, at)
      }
    } catch (error) {
      this.close()
      throw error
    }
  }

  /** May be called by a handler: the rest of what was pushed is dropped. */
  close (): void {
    this.#isClosed = true
    this.#gathered = undefined
    this.#piece = undefined
  }

  #readLength (bytes: Uint8Array, at: number): number {
    if (this.#hasSwitched) throw new SwarmMessageError('a frame after the switch to another lane')
    while (at < bytes.byteLength) {
      const byte = bytes[at++] ?? 0
      this.#length += (byte & 0x7f) << (7 * this.#lengthBytes++)
      if (byte < 0x80) {
        if (this.#length === 0 || this.#length > MAX_SWARM_MESSAGE_LENGTH) throw new SwarmMessageError(`a message of ${this.#length} bytes, allowed are 1 to ${MAX_SWARM_MESSAGE_LENGTH}`)
        this.#isInMessage = true
        break
      }
      if (this.#lengthBytes === MAX_LENGTH_BYTES) throw new SwarmMessageError(`a length of more than ${MAX_LENGTH_BYTES} bytes`)
    }
    return at
  }

  #readMessage (bytes: Uint8Array, at: number): number {
    const end = at + this.#length
    if (this.#gathered === undefined && end <= bytes.byteLength) {
      this.#endMessage(bytes, at, end)
      return end
    }
    const gathered = this.#gathered ??= new Uint8Array(this.#length)
    const count = Math.min(this.#length - this.#gatheredBytes, bytes.byteLength - at)
    gathered.set(bytes.subarray(at, at + count), this.#gatheredBytes)
    this.#gatheredBytes += count
    if (this.#gatheredBytes === this.#length) this.#endMessage(gathered, 0, this.#length)
    return at + count
  }

  #endMessage (bytes: Uint8Array, start: number, end: number): void {
    const message = decodeMessage(bytes, start, end)
    this.#isInMessage = false
    this.#length = this.#lengthBytes = 0
    this.#gathered = undefined
    this.#gatheredBytes = 0
    if (message === undefined) return
    if (message.type === 'lane-switch') this.#hasSwitched = true
    if (message.type === 'piece') {
      this.#piece = message
      this.#bodyOffset = 0
    }
    this.#handlers.onMessage(message)
  }

  #readBody (message: PieceMessage, bytes: Uint8Array, at: number): number {
    const offset = this.#bodyOffset
    const end = Math.min(at + message.length - offset, bytes.byteLength)
    this.#bodyOffset += end - at
    const isLast = this.#bodyOffset === message.length
    if (isLast) this.#piece = undefined
    this.#handlers.onBody(message, bytes.subarray(at, end), offset, isLast)
    return end
  }
}
