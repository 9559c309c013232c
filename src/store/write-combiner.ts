import { WRITE_BLOCK_BYTES, type BlockPool } from './block-pool.ts'

/** Blocks of one writer that are filled or being written; beyond them `append` waits. */
const MAX_BLOCKS = 4
/** Written blocks that are kept for readers close behind the edge, who else would read them back from the file. */
const MAX_RECENT_BLOCKS = 8

export interface WriteCombinerComponents {
  readonly blocks: BlockPool
  /** Writes all of the bytes at the position, or fails. */
  readonly write: (bytes: Uint8Array, position: number) => Promise<void>
  /** Everything below `edge` is written. Never throws. */
  readonly onWritten: (edge: number) => void
  /** A write failed: what was appended beyond `edge` is dropped, and nothing is taken before `reset`. */
  readonly onFailed: (edge: number) => Promise<void>
}

interface Block {
  readonly bytes: Uint8Array
  length: number
}

/** A block that is in the file as well. */
interface RecentBlock extends Block {
  readonly start: number
}

/**
 * Turns appends of any length into few writes: while none is in flight what is there is written at once (a slow source is readable
 * without delay), while one is in flight the next block fills up (a fast source is written in large pieces). Calls to `append`,
 * `drain` and `reset` come one at a time.
 */
export class WriteCombiner {
  readonly #components: WriteCombinerComponents
  readonly #full: Block[] = []
  /** In the order of the file, none beyond the edge. */
  readonly #recent: RecentBlock[] = []
  #filling: Block | undefined
  #edge: number
  #blocks = 0
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
    const free = (MAX_BLOCKS - this.#blocks) * WRITE_BLOCK_BYTES + (this.#filling === undefined ? 0 : WRITE_BLOCK_BYTES - this.#filling.length)
    if (this.#failure !== undefined || chunk.length > free) return false
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
    const block = this.#recent.find(({ start, length }) => start <= position && position < start + length)
    if (block === undefined) return 0
    const part = block.bytes.subarray(position - block.start, Math.min(block.length, position - block.start + buffer.length))
    buffer.set(part)
    return part.length
  }

  /** Gives back all that is kept for readers. */
  release (): void {
    for (const { bytes } of this.#recent.splice(0)) this.#components.blocks.give(bytes)
  }

  /** Goes on at `edge`, after `drain`; a failure is forgotten. */
  reset (edge: number): void {
    this.release()
    this.#edge = edge
    this.#failure = undefined
  }

  #fill (chunk: Uint8Array, from: number): number {
    let taken = 0
    while (from + taken < chunk.length) {
      if (this.#filling === undefined) {
        if (this.#blocks === MAX_BLOCKS) break
        this.#blocks++
        this.#filling = { bytes: this.#components.blocks.take(), length: 0 }
      }
      const block = this.#filling
      const length = Math.min(WRITE_BLOCK_BYTES - block.length, chunk.length - from - taken)
      block.bytes.set(chunk.subarray(from + taken, from + taken + length), block.length)
      block.length += length
      taken += length
      if (block.length === WRITE_BLOCK_BYTES) {
        this.#full.push(block)
        this.#filling = undefined
      }
    }
    return taken
  }

  #next (): Block | undefined {
    const block = this.#full.shift() ?? this.#filling
    if (block === this.#filling) this.#filling = undefined
    return block
  }

  async #writeAll (): Promise<void> {
    // `#writing` is set before this can clear it.
    await Promise.resolve()
    for (let block = this.#next(); block !== undefined; block = this.#next()) {
      if (this.#failure === undefined) await this.#write(block)
      else this.#components.blocks.give(block.bytes)
      this.#blocks--
      this.#room?.resolve()
      this.#room = undefined
    }
    if (this.#failure !== undefined) await this.#components.onFailed(this.#edge)
    this.#writing = undefined
  }

  #keep (block: RecentBlock): void {
    this.#recent.push(block)
    const { blocks } = this.#components
    while (this.#recent.length > MAX_RECENT_BLOCKS || (blocks.isScarce && this.#recent.length > 0)) blocks.give(this.#recent.shift()!.bytes)
  }

  async #write (block: Block): Promise<void> {
    try {
      await this.#components.write(block.bytes.subarray(0, block.length), this.#edge)
    } catch (error) {
      this.#failure = error as Error
      this.#components.blocks.give(block.bytes)
      return
    }
    this.#keep({ ...block, start: this.#edge })
    this.#edge += block.length
    this.#components.onWritten(this.#edge)
  }
}
