/** The unit of what writers hold: the smallest piece of a blob, so that many pieces at a time take no more than they have brought. */
export const WRITE_BLOCK_BYTES = 128 * 1024
/** Free blocks kept for the next writer; the rest go back to the allocator. */
const MAX_FREE_BLOCKS = 128
/** Blocks in use, by all writers together, up to which one may keep some for its readers and gather much: 48 MiB. */
const MAX_COMFORTABLE_BLOCKS = 384

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
