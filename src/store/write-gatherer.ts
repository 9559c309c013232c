import { WRITE_BLOCK_BYTES, type BlockPool } from './block-pool.ts'
import { WriteBlock } from './write-block.ts'

/** Bytes without a gap that gather no longer: smaller writes cost calls. */
const ENOUGH_BYTES = 1024 * 1024
/** Bytes of one write when the disk has fallen behind: each has to wait for its turn of the processor and of the disk. */
const MAX_WRITE_BYTES = 2 * 1024 * 1024
/** Blocks with bytes that are not in the file yet, 12 MiB; beyond them `write` waits. */
const MAX_DIRTY_BLOCKS = 96
/** Dirty blocks from which on nothing gathers any longer. */
const MANY_DIRTY_BLOCKS = 64
/** The same while blocks are scarce: 1 MiB. */
const MAX_DIRTY_BLOCKS_IF_SCARCE = 8
/** Written blocks that are kept for readers close behind, who else would read them back from the file: 10 MiB. */
const MAX_CLEAN_BLOCKS = 80
/** Longest time in milliseconds that bytes gather: until a piece on a slow link is whole, and asked for. */
const GATHER_MS = 1000

export interface WriteGathererComponents {
  readonly blocks: BlockPool
  /** Bytes from here on are written at once: somebody reads behind it. */
  readonly edge: () => number
  /** Writes all of the buffers, one behind the other, at the position, or fails. */
  readonly write: (buffers: readonly Uint8Array[], position: number) => Promise<void>
  /** The bytes [start, end) are written. Never throws. */
  readonly onWritten: (start: number, end: number) => void
  /** A write failed: what was not written is dropped, and nothing is taken before `reset`. */
  readonly onFailed: () => Promise<void>
}

/**
 * Turns chunks of any length, at many places of a file at the same time, into few writes, one of them in flight at a time. At the edge
 * what is there is written at once (a slow source is readable without delay) and gathers only while a write is in flight (a fast
 * source is written in large pieces). Elsewhere bytes gather until they are many, somebody asks for them, or some time is over.
 * Blocks are filled to their end whatever was written of them meanwhile. No byte is given twice; calls to `write`, `drain`,
 * `forget` and `reset` come one at a time, `flush` at any time.
 */
export class WriteGatherer {
  readonly #components: WriteGathererComponents
  /** By their first byte, in the order in which they were taken. */
  readonly #blocks = new Map<number, WriteBlock>()
  /** The same by their end, where those with room go on. */
  readonly #ends = new Map<number, WriteBlock>()
  /** Those with bytes that are not in the file, in the order in which they became so. */
  readonly #dirty = new Set<WriteBlock>()
  #writing: Promise<void> | undefined
  #wasAtEdge = false
  /** So many are dirty that nothing gathers: all of them are due. */
  #isBehind = false
  #failure: Error | undefined
  #room: PromiseWithResolvers<void> | undefined
  #timer: NodeJS.Timeout | undefined

  constructor (components: WriteGathererComponents) {
    this.#components = components
  }

  /** Why nothing more is taken until `reset`. */
  get failure (): Error | undefined {
    return this.#failure
  }

  /** Copies the chunk, if all of it finds room at once. */
  tryWrite (position: number, chunk: Uint8Array): boolean {
    const maxDirty = this.#maxDirty()
    if (this.#failure !== undefined || chunk.length > this.#roomAt(position, maxDirty)) return false
    this.#fill(position, chunk, maxDirty)
    return true
  }

  /** Copies the chunk; resolves when all of it has found room. */
  async write (position: number, chunk: Uint8Array): Promise<void> {
    let taken = 0
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure
      taken += this.#fill(position + taken, chunk.subarray(taken), this.#maxDirty())
      if (taken === chunk.length) return
      // without room it is behind, and all that is dirty on its way
      this.#room ??= Promise.withResolvers()
      await this.#room.promise
    }
  }

  /** Resolves when all that was given of [start, end) is in the file. @throws what made a write fail */
  async flush (start: number, end: number): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    await Promise.all(this.#hurry(start, end).map(block => block.cleaned()))
  }

  /** Resolves when all is in the file and nothing in flight. @throws what made a write fail */
  async drain (): Promise<void> {
    this.#hurry(0, Infinity)
    await this.#writing
    if (this.#failure !== undefined) throw this.#failure
  }

  /** Bytes from `position` that were given a moment ago; 0 when they are only in the file by now. */
  copyRecent (buffer: Uint8Array, position: number): number {
    let block = this.#blockAt(position)
    let copied = 0
    while (block !== undefined && copied < buffer.length) {
      copied += block.copy(buffer.subarray(copied), position + copied)
      block = this.#blocks.get(position + copied)
    }
    return copied
  }

  /** What it holds of [start, end) means nothing any more. After `drain`. */
  forget (start: number, end: number): void {
    for (const block of this.#blocks.values()) {
      if (block.overlaps(start, end)) this.#drop(block)
    }
  }

  /** Gives back all blocks; what is not written is dropped. Not while a write is in flight. */
  release (): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    for (const block of this.#blocks.values()) this.#drop(block)
  }

  /** Goes on after a failure, which is forgotten. */
  reset (): void {
    this.#failure = undefined
  }

  #maxDirty (): number {
    return this.#components.blocks.isScarce ? MAX_DIRTY_BLOCKS_IF_SCARCE : MAX_DIRTY_BLOCKS
  }

  /** Bytes that find room now. */
  #roomAt (position: number, maxDirty: number): number {
    const free = Math.max(0, maxDirty - this.#dirty.size)
    const block = this.#ends.get(position)
    if (block === undefined || block.room === 0) return free * WRITE_BLOCK_BYTES
    if (this.#dirty.has(block)) return block.room + free * WRITE_BLOCK_BYTES
    // it is dirty again when its rest is filled
    return free === 0 ? 0 : block.room + (free - 1) * WRITE_BLOCK_BYTES
  }

  #fill (position: number, chunk: Uint8Array, maxDirty: number): number {
    this.#noteBacklog(maxDirty)
    let taken = 0
    while (taken < chunk.length) {
      const block = this.#blockFor(position + taken, maxDirty)
      if (block === undefined) break
      if (this.#ends.get(block.end) === block) this.#ends.delete(block.end)
      taken += block.fill(chunk.subarray(taken))
      this.#ends.set(block.end, block)
      this.#dirty.add(block)
      block.isDue ||= this.#isBehind
      this.#filled(block)
    }
    this.#noteBacklog(maxDirty)
    return taken
  }

  #noteBacklog (maxDirty: number): void {
    const isBehind = this.#dirty.size >= Math.min(MANY_DIRTY_BLOCKS, maxDirty)
    if (isBehind && !this.#isBehind) this.#hurry(0, Infinity)
    this.#isBehind = isBehind
  }

  /** The block that goes on at `position`, or a new one; undefined when too many are dirty. */
  #blockFor (position: number, maxDirty: number): WriteBlock | undefined {
    const last = this.#ends.get(position)
    const isNew = last === undefined || last.room === 0
    if (!isNew && this.#dirty.has(last)) return last
    if (this.#dirty.size >= maxDirty) return undefined
    if (!isNew) return last
    const block = new WriteBlock(this.#components.blocks.take(), position)
    this.#blocks.set(position, block)
    return block
  }

  #filled (block: WriteBlock): void {
    if (block.isDue || block.dirtyStart === this.#components.edge()) {
      this.#writing ??= this.#writeDue()
    } else if (block.room === 0 && this.#gatheredTo(block) >= ENOUGH_BYTES) {
      this.#hurry(block.end - ENOUGH_BYTES, block.end)
    } else {
      this.#timer ??= setTimeout(() => {
        this.#timer = undefined
        this.#hurry(0, Infinity)
      }, GATHER_MS)
    }
  }

  /** Dirty bytes up to the end of the block without a gap, as far as they matter. */
  #gatheredTo (block: WriteBlock): number {
    let start = block.end
    for (let each: WriteBlock | undefined = block; each !== undefined && this.#dirty.has(each) && block.end - start < ENOUGH_BYTES; each = this.#ends.get(start)) {
      start = each.dirtyStart
    }
    return block.end - start
  }

  /** Nothing of [start, end) gathers any longer. @returns the blocks that are to be written */
  #hurry (start: number, end: number): WriteBlock[] {
    const due: WriteBlock[] = []
    for (const block of this.#dirty) {
      if (!block.overlaps(start, end)) continue
      block.isDue = true
      due.push(block)
    }
    if (due.length > 0) this.#writing ??= this.#writeDue()
    return due
  }

  async #writeDue (): Promise<void> {
    // `#writing` is set before this can clear it.
    await Promise.resolve()
    try {
      for (let batch = this.#nextBatch(); batch.length > 0; batch = this.#nextBatch()) {
        await this.#write(batch)
        this.#trim()
        this.#wake()
      }
    } catch (error) {
      this.#failure = error as Error
      for (const block of this.#dirty) block.fail(this.#failure)
      this.release()
      this.#wake()
      await this.#components.onFailed()
    }
    this.#writing = undefined
  }

  /** What one write takes: from the edge and from the oldest that is due elsewhere, in turns. */
  #nextBatch (): WriteBlock[] {
    const edge = this.#components.edge()
    const atEdge = [...this.#dirty].find(block => block.dirtyStart === edge)
    let end = edge
    for (let block = atEdge; block?.dirtyStart === end; block = this.#blocks.get(end)) end = block.end
    const elsewhere = [...this.#dirty].find(block => block.isDue && (block.start < edge || block.start >= end))
    const first = this.#wasAtEdge ? elsewhere ?? atEdge : atEdge ?? elsewhere
    this.#wasAtEdge = first !== undefined && first === atEdge
    return first === undefined ? [] : this.#batchFrom(first)
  }

  /** What can be written with the block: what follows without a gap. */
  #batchFrom (first: WriteBlock): WriteBlock[] {
    const batch = [first]
    for (let last = first; ;) {
      const next = this.#blocks.get(last.end)
      if (next === undefined || !this.#dirty.has(next) || next.dirtyStart !== last.end) return batch
      if (next.end - first.dirtyStart > MAX_WRITE_BYTES) return batch
      // what is not urgent may still grow
      if (!this.#wasAtEdge && !next.isDue && next.room > 0) return batch
      batch.push(next)
      last = next
    }
  }

  async #write (batch: readonly WriteBlock[]): Promise<void> {
    const start = batch[0]!.dirtyStart
    const ends = batch.map(block => block.end)
    const end = ends.at(-1)!
    for (const block of batch) block.isDue = false
    await this.#components.write(batch.map(block => block.dirty), start)
    for (const [index, block] of batch.entries()) {
      if (block.wrote(ends[index]!)) this.#dirty.delete(block)
    }
    this.#components.onWritten(start, end)
  }

  /** Gives back written blocks: the oldest beyond those that readers may want, all while blocks are scarce. */
  #trim (): void {
    let surplus = this.#blocks.size - this.#dirty.size - (this.#components.blocks.isScarce ? 0 : MAX_CLEAN_BLOCKS)
    for (const block of this.#blocks.values()) {
      if (surplus <= 0) break
      if (this.#dirty.has(block)) continue
      this.#drop(block)
      surplus--
    }
  }

  #drop (block: WriteBlock): void {
    this.#blocks.delete(block.start)
    this.#ends.delete(block.end)
    this.#dirty.delete(block)
    this.#components.blocks.give(block.bytes)
  }

  #blockAt (position: number): WriteBlock | undefined {
    for (const block of this.#blocks.values()) {
      if (block.start <= position && position < block.end) return block
    }
    return undefined
  }

  #wake (): void {
    this.#room?.resolve()
    this.#room = undefined
  }
}
