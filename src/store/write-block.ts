import { WRITE_BLOCK_BYTES } from './block-pool.ts'

/** Bytes [start, end) of a file in memory: those up to `dirtyStart` are in the file as well. */
export class WriteBlock {
  readonly bytes: Uint8Array
  readonly start: number
  /** It gathers no longer. */
  isDue = false
  #length = 0
  #written = 0
  #clean: PromiseWithResolvers<void> | undefined

  constructor (bytes: Uint8Array, start: number) {
    this.bytes = bytes
    this.start = start
  }

  get end (): number {
    return this.start + this.#length
  }

  get dirtyStart (): number {
    return this.start + this.#written
  }

  /** Bytes that find room. */
  get room (): number {
    return WRITE_BLOCK_BYTES - this.#length
  }

  /** What is not in the file. */
  get dirty (): Uint8Array {
    return this.bytes.subarray(this.#written, this.#length)
  }

  overlaps (start: number, end: number): boolean {
    return this.start < end && start < this.end
  }

  /** @returns how many bytes of the chunk found room */
  fill (chunk: Uint8Array): number {
    const length = Math.min(this.room, chunk.length)
    this.bytes.set(length < chunk.length ? chunk.subarray(0, length) : chunk, this.#length)
    this.#length += length
    return length
  }

  /** @returns how many bytes from `position` found room in the buffer */
  copy (buffer: Uint8Array, position: number): number {
    const offset = position - this.start
    const length = Math.min(buffer.length, this.#length - offset)
    buffer.set(this.bytes.subarray(offset, offset + length))
    return length
  }

  /** The bytes below `end` are in the file. @returns whether that is all */
  wrote (end: number): boolean {
    this.#written = end - this.start
    if (this.#written < this.#length) {
      // whoever waits for it waits no longer than until it is full
      if (this.#clean !== undefined) this.isDue = true
      return false
    }
    this.#clean?.resolve()
    this.#clean = undefined
    return true
  }

  /** Resolves when all of it is in the file. */
  async cleaned (): Promise<void> {
    this.#clean ??= Promise.withResolvers()
    return this.#clean.promise
  }

  /** What is not in the file never will be. */
  fail (error: Error): void {
    this.#clean?.reject(error)
    this.#clean = undefined
  }
}
