import { WRITE_BLOCK_BYTES, type BlockPool } from './block-pool.ts'

/** Blocks with bytes that are not in the file yet; beyond them `append` waits. */
const MAX_UNWRITTEN_BLOCKS = 4
/** Written blocks that are kept for readers close behind the edge, who else would read them back from the file. */
const MAX_WRITTEN_BLOCKS = 10

export interface WriteCombinerComponents {
  readonly blocks: BlockPool
  /** Writes all of the bytes at the position, or fails. */
  readonly write: (bytes: Uint8Array, position: number) => Promise<void>
  /** Everything below `edge` is written. Never throws. */
  readonly onWritten: (edge: number) => void
  /** A write failed: what was appended beyond `edge` is dropped, and nothing is taken before `reset`. */
  readonly onFailed: (edge: number) => Promise<void>
}

/** Bytes [start, start + length) of the file. */
interface Block {
  readonly bytes: Uint8Array
  readonly start: number
  length: number
}

/**
 * Turns appends of any length into few writes: while none is in flight what is there is written at once (a slow source is readable
 * without delay), while one is in flight the bytes gather (a fast source is written in large pieces). Blocks are filled to their end
 * whatever was written of them meanwhile. Calls to `append`, `drain` and `reset` come one at a time.
 */
export class WriteCombiner {
  readonly #components: WriteCombinerComponents
  /** Without gaps, in the order of the file: the written ones, the one being written, those to be written. */
  readonly #blocks: Block[] = []
  #edge: number
  #writing: Promise<void> | undefined
  #failure: Error | undefined
  #room: PromiseWithResolvers<void> | undefined

  constructor (components: WriteCombinerComponents, edge: number) {
    this.#components = components
    this.#edge = edge
  }

  /** Bytes [0, edge) are written. */
  get edge (): number {
    return this.#edge
  }

  /** Why nothing more is taken until `reset`. */
  get failure (): Error | undefined {
    return this.#failure
  }

  /** Copies the chunk, if all of it finds room at once. */
  tryAppend (chunk: Uint8Array): boolean {
    if (this.#failure !== undefined || chunk.length > this.#free) return false
    this.#fill(chunk, 0)
    this.#writing ??= this.#writeAll()
    return true
  }

  /** Copies the chunk; resolves when all of it has found room. */
  async append (chunk: Uint8Array): Promise<void> {
    let taken = 0
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      taken += this.#fill(chunk, taken)
      this.#writing ??= this.#writeAll()
      if (taken === chunk.length) return
      this.#room ??= Promise.withResolvers()
      await this.#room.promise
    }
  }

  /** Resolves when nothing is in flight. @throws what made a write fail */
  async drain (): Promise<void> {
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Bytes from `position` that were written a moment ago; 0 when they are only in the file by now. */
  copyRecent (buffer: Uint8Array, position: number): number {
    const block = this.#blocks.find(({ start, length }) => start <= position && position < start + length)
    if (block === undefined) return 0
    const part = block.bytes.subarray(position - block.start, Math.min(block.length, this.#edge - block.start, position - block.start + buffer.length))
    buffer.set(part)
    return part.length
  }

  /** Gives back all blocks; what is not written is dropped. Not while a write is in flight. */
  release (): void {
    for (const { bytes } of this.#blocks.splice(0)) this.#components.blocks.give(bytes)
  }

  /** Goes on at `edge`, after `drain`; a failure is forgotten. */
  reset (edge: number): void {
    this.release()
    this.#edge = edge
    this.#failure = undefined
  }

  /** Bytes that find room now. */
  get #free (): number {
    const last = this.#blocks.at(-1)
    const rest = last === undefined ? 0 : WRITE_BLOCK_BYTES - last.length
    // a written block is unwritten again when its rest is filled
    const unwritten = rest > 0 ? Math.max(1, this.#unwritten) : this.#unwritten
    return rest + (MAX_UNWRITTEN_BLOCKS - unwritten) * WRITE_BLOCK_BYTES
  }

  /** Blocks with bytes beyond the edge. */
  get #unwritten (): number {
    return this.#blocks.length - this.#firstUnwritten()
  }

  #firstUnwritten (): number {
    const index = this.#blocks.findIndex(({ start, length }) => start + length > this.#edge)
    return index === -1 ? this.#blocks.length : index
  }

  #fill (chunk: Uint8Array, from: number): number {
    let taken = 0
    while (from + taken < chunk.length) {
      let block = this.#blocks.at(-1)
      if (block === undefined || block.length === WRITE_BLOCK_BYTES) {
        if (this.#unwritten >= MAX_UNWRITTEN_BLOCKS) break
        block = { bytes: this.#components.blocks.take(), start: block === undefined ? this.#edge : block.start + block.length, length: 0 }
        this.#blocks.push(block)
      }
      const length = Math.min(WRITE_BLOCK_BYTES - block.length, chunk.length - from - taken)
      block.bytes.set(chunk.subarray(from + taken, from + taken + length), block.length)
      block.length += length
      taken += length
    }
    return taken
  }

  async #writeAll (): Promise<void> {
    // `#writing` is set before this can clear it.
    await Promise.resolve()
    try {
      for (let block = this.#blocks[this.#firstUnwritten()]; block !== undefined; block = this.#blocks[this.#firstUnwritten()]) {
        await this.#write(block)
        this.#trim()
        this.#wake()
      }
    } catch (error) {
      this.#failure = error as Error
      this.release()
      this.#wake()
      await this.#components.onFailed(this.#edge)
    }
    this.#writing = undefined
  }

  /** What of the block is not written. */
  async #write ({ bytes, start, length }: Block): Promise<void> {
    await this.#components.write(bytes.subarray(this.#edge - start, length), this.#edge)
    this.#edge = start + length
    this.#components.onWritten(this.#edge)
  }

  /** Gives back written blocks: the oldest beyond those that readers may want, all while blocks are scarce. */
  #trim (): void {
    const { blocks } = this.#components
    const written = this.#firstUnwritten()
    const kept = blocks.isScarce ? 0 : MAX_WRITTEN_BLOCKS
    for (const { bytes } of this.#blocks.splice(0, Math.max(0, written - kept))) blocks.give(bytes)
  }

  #wake (): void {
    this.#room?.resolve()
    this.#room = undefined
  }
}
