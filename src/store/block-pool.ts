/** Bytes of one write at full speed: larger ones gain nothing, smaller ones cost calls. */
export const WRITE_BLOCK_BYTES = 1024 * 1024
/** Free blocks kept for the next writer; the rest go back to the allocator. */
const MAX_FREE_BLOCKS = 8

/** Reusable write buffers, so that a pull of any size touches the same few megabytes. */
export class BlockPool {
  readonly #free: Uint8Array[] = []

  take (): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(WRITE_BLOCK_BYTES)
  }

  give (block: Uint8Array): void {
    if (this.#free.length < MAX_FREE_BLOCKS) this.#free.push(block)
  }
}
