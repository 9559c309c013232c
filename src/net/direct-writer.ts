import type { Writable } from 'node:stream'
import { DeadlineError } from '../errors.ts'

/** What a TLS record holds at the most. */
const RECORD_BYTES = 16 * 1024
/** As much as a small piece and what is said with it: copied together it costs one write, and that costs more than the copy. */
const GATHER_BYTES = 144 * 1024
/** What one write encrypts at the most: more falls out of the processor's cache before the kernel takes it. */
const MAX_WRITE_BYTES = 256 * 1024

interface Sending {
  readonly parts: readonly Uint8Array[]
  readonly done: PromiseWithResolvers<void>
  /** Part that is next, and its bytes that have been taken. */
  index: number
  offset: number
}

/**
 * Writes parts to a TLS socket, one buffer at a time: given several at once, Node copies them together, which costs more
 * than all the rest. All that waits is gathered when it is little; else small parts, and the beginning of a large one behind them,
 * in one record, and the rest is encrypted from where it lies.
 */
export class DirectWriter {
  readonly #socket: Writable
  readonly #stallTimeoutMs: number
  readonly #queue: Sending[] = []
  /** Those whose last byte is in the write that is on its way. */
  readonly #ending: Sending[] = []
  #gathered = Buffer.allocUnsafeSlow(RECORD_BYTES)
  #isWriting = false
  #writingSinceMs = 0
  /** Looks whether a write takes too long: one for many writes, of which there are two thousand in a rollout of 64 MiB. */
  #watch: NodeJS.Timeout | undefined
  #unsentBytes = 0
  #failure: Error | undefined
  #idle: PromiseWithResolvers<void> | undefined

  constructor (socket: Writable, stallTimeoutMs: number) {
    this.#socket = socket
    this.#stallTimeoutMs = stallTimeoutMs
  }

  get unsentBytes (): number {
    return this.#unsentBytes
  }

  /** Resolves when the kernel has taken all parts. @throws what `fail` was given */
  async send (parts: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    const done = Promise.withResolvers<void>()
    for (const part of parts) this.#unsentBytes += part.byteLength
    this.#queue.push({ parts, done, index: 0, offset: 0 })
    if (!this.#isWriting) this.#write()
    await done.promise
  }

  /** Resolves when nothing is unsent, or never will be sent. */
  async idle (): Promise<void> {
    if (!this.#isWriting) return
    this.#idle ??= Promise.withResolvers<void>()
    await this.#idle.promise
  }

  /** Nothing is sent any more; who waits, and who comes later, fails with `error`. */
  fail (error: Error): void {
    this.#failure ??= error
    clearTimeout(this.#watch)
    this.#unsentBytes = 0
    for (const { done } of [...this.#ending.splice(0), ...this.#queue.splice(0)]) done.reject(this.#failure)
    this.#rest()
  }

  #write (): void {
    const bytes = this.#next()
    // Parts may be empty.
    if (bytes.byteLength === 0) {
      this.#written()
      return
    }
    this.#isWriting = true
    this.#writingSinceMs = performance.now()
    if (this.#watch === undefined) this.#watchFor(this.#stallTimeoutMs)
    this.#socket.write(bytes, error => {
      // A socket that was destroyed calls back as if all were well; its owner calls `fail` when it has closed.
      if (this.#failure !== undefined || error instanceof Error || this.#socket.destroyed) return
      this.#unsentBytes -= bytes.byteLength
      this.#written()
    })
  }

  #watchFor (delayMs: number): void {
    this.#watch = setTimeout(() => {
      this.#watch = undefined
      if (!this.#isWriting) return
      const leftMs = this.#writingSinceMs + this.#stallTimeoutMs - performance.now()
      // timers may fire a moment early
      if (leftMs > 1) this.#watchFor(leftMs)
      else this.#socket.destroy(new DeadlineError('sending', this.#stallTimeoutMs))
    }, delayMs).unref()
  }

  #written (): void {
    for (const { done } of this.#ending.splice(0)) done.resolve()
    if (this.#queue.length > 0) this.#write()
    else this.#rest()
  }

  #rest (): void {
    this.#isWriting = false
    this.#idle?.resolve()
    this.#idle = undefined
  }

  /** @returns what is written next; `#ending` gets those that end with it */
  #next (): Uint8Array {
    // parts may be empty, all of them
    const capacity = this.#unsentBytes <= GATHER_BYTES ? Math.max(1, this.#unsentBytes) : RECORD_BYTES
    let gathered = 0
    while (this.#queue.length > 0 && gathered < capacity) {
      const sending = this.#queue[0] as Sending
      const part = sending.parts[sending.index]
      if (part === undefined) {
        this.#ending.push(sending)
        this.#queue.shift()
        continue
      }
      const left = part.byteLength - sending.offset
      if (gathered === 0 && left >= Math.min(RECORD_BYTES, capacity)) return this.#take(sending, part, MAX_WRITE_BYTES)
      if (this.#gathered.length < capacity) this.#gathered = Buffer.allocUnsafeSlow(GATHER_BYTES)
      const bytes = this.#take(sending, part, capacity - gathered)
      this.#gathered.set(bytes, gathered)
      gathered += bytes.byteLength
    }
    return this.#gathered.subarray(0, gathered)
  }

  #take (sending: Sending, part: Uint8Array, maxBytes: number): Uint8Array {
    const end = Math.min(part.byteLength, sending.offset + maxBytes)
    const bytes = part.subarray(sending.offset, end)
    const isWhole = end === part.byteLength
    sending.index += isWhole ? 1 : 0
    sending.offset = isWhole ? 0 : end
    if (sending.index === sending.parts.length) {
      this.#ending.push(sending)
      this.#queue.shift()
    }
    return bytes
  }
}
