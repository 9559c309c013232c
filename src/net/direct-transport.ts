import type { Socket } from 'node:net'
import { DirectWriter } from './direct-writer.ts'
import { FrameInlet } from './frame-inlet.ts'
import { LaneClosedError, type FrameTransport } from './frame-transport.ts'
import { limitUnsent } from './unsent-limit.ts'

const DEFAULT_STALL_TIMEOUT_MS = 30_000
const DEFAULT_CLOSE_TIMEOUT_MS = 2_000
/** What is written later waits in the kernel behind so much at the most. */
const MAX_UNSENT_BYTES = 64 * 1024

export interface DirectTransportInit {
  /** How long the other side may take nothing of what is sent. @default 30000 */
  readonly stallTimeoutMs?: number
  /** How long the end may take. @default 2000 */
  readonly closeTimeoutMs?: number
}

/**
 * The fast lane: a TLS 1.3 socket between two agents that have made sure of each other. What is received is handed to
 * `receive` by whoever reads the socket. An end does not prove that all has come: Node does not tell a TLS end from a TCP one.
 */
export class DirectTransport implements FrameTransport {
  readonly lane = 'direct'
  readonly #socket: Socket
  readonly #writer: DirectWriter
  readonly #inlet = new FrameInlet(() => { this.#socket.resume() })
  readonly #closeTimeoutMs: number
  #error: Error | undefined
  #closing: Promise<void> | undefined

  constructor (socket: Socket, init: DirectTransportInit = {}) {
    this.#socket = socket
    this.#closeTimeoutMs = init.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS
    this.#writer = new DirectWriter(socket, init.stallTimeoutMs ?? DEFAULT_STALL_TIMEOUT_MS)
    limitUnsent(socket, MAX_UNSENT_BYTES)
    socket.on('error', error => { this.#error ??= error })
    socket.once('end', () => { this.#ended(undefined) })
    socket.once('close', () => { this.#ended(this.#error) })
    if (socket.destroyed) this.#ended(undefined)
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
    return this.#writer.unsentBytes
  }

  /** The rest of what the kernel has given us at once still comes, and is kept. */
  pause (): void {
    if (this.#inlet.hasEnded) return
    this.#inlet.pause()
    this.#socket.pause()
  }

  resume (): void {
    this.#inlet.resume()
  }

  /** @returns false: the socket is to be paused, as nobody takes it now */
  receive (bytes: Uint8Array): boolean {
    return this.#inlet.deliver(bytes)
  }

  async send (parts: readonly Uint8Array[]): Promise<void> {
    if (this.#inlet.hasEnded) throw this.#closedError()
    await this.#writer.send(parts)
  }

  async close (): Promise<void> {
    this.#inlet.end(undefined, { isByUs: true })
    this.#closing ??= this.#finish()
    await this.#closing
  }

  abort (reason: Error): void {
    this.#error ??= reason
    this.#socket.destroy()
    this.#ended(reason)
  }

  async #finish (): Promise<void> {
    if (this.#socket.destroyed) return
    const closed = Promise.withResolvers<void>()
    this.#socket.once('close', () => { closed.resolve() })
    const timer = setTimeout(() => { this.#socket.destroy() }, this.#closeTimeoutMs)
    // The other side's end comes behind all that it still sends.
    this.#socket.resume()
    await this.#writer.idle()
    this.#socket.end()
    await closed.promise
    clearTimeout(timer)
  }

  #ended (error: Error | undefined): void {
    this.#inlet.end(error)
    if (this.#closing === undefined || this.#socket.destroyed) this.#writer.fail(this.#closedError())
  }

  #closedError (): LaneClosedError {
    return new LaneClosedError(this.lane, { cause: this.#error })
  }
}
