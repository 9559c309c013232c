import type { BlockPool } from './block-pool.ts'
import type { PartialFileHandle } from './partial-file.ts'
import { SourceSpans } from './source-spans.ts'
import type { ByteSpan, SourcedSpan, SpanSource } from './store.ts'
import { WriteGatherer } from './write-gatherer.ts'

export interface PartialBytesComponents {
  readonly file: PartialFileHandle
  readonly blocks: BlockPool
  /** A new name for a file that means nothing after a restart. */
  readonly temporary: () => string
  /** The bytes [start, end) can be read. Never throws. */
  readonly onReadable: (start: number, end: number) => void
  /** Another file lies there now, with the same bytes as far as they can be read. */
  readonly onReplaced: () => void
}

/**
 * The bytes of a partial on disk, in memory and in its file, and where they came from. Invariant: the file holds what `readable` tells
 * of; `given` has what is on its way to it as well, and no byte is given twice. Calls come one at a time but for `flush`, `read` and
 * `tryWrite`, which needs nothing else to be under way but those.
 */
export class PartialBytes {
  readonly given = new SourceSpans()
  readonly readable = new SourceSpans()
  readonly #components: PartialBytesComponents
  readonly #writer: WriteGatherer
  /** How often bytes were taken away. */
  #cuts = 0

  constructor (components: PartialBytesComponents, spans: readonly SourcedSpan[]) {
    this.#components = components
    for (const { start, end, source } of spans) {
      this.given.add(start, end, source)
      this.readable.add(start, end, source)
    }
    this.#writer = new WriteGatherer({
      blocks: components.blocks,
      edge: () => this.readable.edge,
      write: (buffers, position) => components.file.write(buffers, position),
      onWritten: (start, end) => { this.#written(start, end) },
      onFailed: () => this.#writeFailed()
    })
  }

  /** Why nothing more is taken until `reset`. */
  get failure (): Error | undefined {
    return this.#writer.failure
  }

  /** Takes the chunk if all of it finds room at once. @throws RangeError when a byte was given before */
  tryWrite (position: number, chunk: Uint8Array, source: SpanSource): boolean {
    this.#check(position, chunk)
    if (!this.#writer.tryWrite(position, chunk)) return false
    this.given.add(position, position + chunk.length, source)
    return true
  }

  /** Resolves when all of the chunk has found room. @throws RangeError when a byte was given before */
  async write (position: number, chunk: Uint8Array, source: SpanSource): Promise<void> {
    if (this.failure !== undefined) throw this.failure
    this.#check(position, chunk)
    this.given.add(position, position + chunk.length, source)
    await this.#writer.write(position, chunk)
  }

  /** What was given of the span can be read then. @throws what made a write fail */
  async flush ({ start, end }: ByteSpan): Promise<void> {
    if (!this.readable.has(start, end)) await this.#writer.flush(start, end)
  }

  /** All that was given can be read then. @throws what made a write fail */
  async drain (): Promise<void> {
    await this.#writer.drain()
  }

  /** No write is under way then, whether or not one failed. */
  async settle (): Promise<void> {
    await this.#writer.drain().catch(() => {})
  }

  async read (buffer: Uint8Array, position: number): Promise<number> {
    for (;;) {
      const length = this.readable.runEnd(position, position + buffer.length) - position
      if (length <= 0) return 0
      const copied = this.#writer.copyRecent(buffer.subarray(0, length), position)
      if (copied > 0) return copied
      const cuts = this.#cuts
      const bytesRead = await this.#components.file.read(buffer, length, position)
      // else others may have been there already
      if (cuts === this.#cuts) return bytesRead
    }
  }

  /** Before the bytes of a span are forgotten: nothing of it is on its way then, and a copy set aside won't see what takes its place. @throws StoreFullError */
  async release ({ start, end }: ByteSpan): Promise<void> {
    const { file, temporary, onReplaced } = this.#components
    if (this.failure === undefined) await this.#writer.flush(start, end).catch(() => {})
    if (this.failure !== undefined || file.isShared) await this.settle()
    if (file.isShared) {
      await file.replace(temporary())
      onReplaced()
    }
  }

  /** The bytes [start, end) are here no longer; after `settle` or `release`. */
  forget (start: number, end: number): void {
    this.#cuts++
    this.given.delete(start, end)
    this.readable.delete(start, end)
    this.#writer.forget(start, end)
  }

  /** Cuts the file behind the last byte that can be read; after `settle`. @throws StoreFullError */
  async cut (): Promise<void> {
    const { file, temporary, onReplaced } = this.#components
    if (await file.truncate(this.readable.end, temporary())) onReplaced()
  }

  /** Forgets a failure. */
  reset (): void {
    this.#writer.reset()
  }

  /** Gives back all memory; after `settle`. What can be read can still be read. */
  close (): void {
    this.#writer.release()
  }

  #check (position: number, { length }: Uint8Array): void {
    if (this.given.overlaps(position, position + length)) throw new RangeError(`bytes of ${position} to ${position + length} are here already`)
  }

  #written (start: number, end: number): void {
    for (const span of this.given.slice(start, end)) this.readable.add(span.start, span.end, span.source)
    this.#components.file.written(end - start)
    this.#components.onReadable(start, end)
  }

  /** What was not written is lost, and what a full disk took of it makes room again. */
  async #writeFailed (): Promise<void> {
    for (const { start, end } of this.readable.missing(0, this.given.end)) this.given.delete(start, end)
    try {
      await this.cut()
    } catch {
      // What lies beyond has no journal entry: the next open cuts it.
    }
  }
}
