/** Bytes of one write at full speed: larger ones gain nothing, smaller ones cost calls. */
export const WRITE_BLOCK_BYTES = 1024 * 1024
/** Free blocks kept for the next writer; the rest go back to the allocator. */
const MAX_FREE_BLOCKS = 16
/** Blocks in use, by all writers together, up to which one may keep some for its readers. */
const MAX_COMFORTABLE_BLOCKS = 48

/** Reusable write buffers, so that a pull of any size touches the same few megabytes. */
export class BlockPool {
  readonly #free: Uint8Array[] = []
  #taken = 0

  /** Many are in use: nobody should hold one longer than it must. */
  get isScarce (): boolean {
    return this.#taken > MAX_COMFORTABLE_BLOCKS
  }

  take (): Uint8Array {
    this.#taken++
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(WRITE_BLOCK_BYTES)
  }

  give (block: Uint8Array): void {
    this.#taken--
    if (this.#free.length < MAX_FREE_BLOCKS) this.#free.push(block)
  }
}
