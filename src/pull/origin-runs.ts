import type { EventSink } from '../events.ts'
import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import { OriginError } from '../origin/origin-error.ts'
import type { Origin, OriginAccess } from '../origin/origin.ts'
import type { PartialBlob } from '../store/store.ts'
import { pieceCount, pieceLength, pieceSpan } from '../swarm/pieces.ts'
import { reasonOf, SizeDisagreementError } from './errors.ts'
import { OriginRest, type ReadFailure } from './origin-rest.ts'

/** Bytes gathered before `fetch:received` is told. */
const REPORT_BYTES = 1024 * 1024

export interface OriginRunsComponents {
  readonly origin: Origin
  readonly events: EventSink
  readonly now: () => number
}

/** What a run tells. */
export interface OriginRunsListener {
  /** All bytes of a piece are with the store. */
  onPiece (piece: number): void
  onAccess (access: OriginAccess): void
  /** The origin sends the whole blob whatever is asked: this run goes on to the end of it, when this is fulfilled. */
  onWhole (): Promise<void>
  /** The run has ended; after a failure the origin is not asked before `retryAtMs`. */
  onEnded (start: number, end: number, retryAtMs: number): void
  /** So many more bytes are here, up to `position`: when to go on. */
  onBytes (position: number, bytes: number): Promise<void> | undefined
}

export interface OriginRunsInit {
  readonly digest: Digest
  readonly size: number
  readonly partial: PartialBlob
  /** Bytes here of pieces whose reading broke off: the next goes on behind them. */
  readonly torn: Map<number, number>
  /** Whether others take part, who may read what the origin refuses to us. @default nobody does */
  readonly hasOthers?: () => boolean
  readonly signal: AbortSignal
}

/** A read under way; its end may come nearer. */
interface Run {
  readonly start: number
  end: number
}

/** The reads from the origin of one blob: each a run of pieces, in order, from the first of its repositories that answers. */
export class OriginRuns {
  readonly #components: OriginRunsComponents
  readonly #listener: OriginRunsListener
  readonly #init: OriginRunsInit
  readonly #repositories = new Map<string, Repository>()
  /** Those that know no such blob, or will not give it to us. */
  readonly #useless = new Set<string>()
  /** Those under way, and when each has come to its end. */
  readonly #running = new Map<Run, Promise<void>>()
  #stop = new AbortController()
  readonly #rest = new OriginRest()
  #error: unknown
  #isUnknown = true
  #fatal: unknown

  constructor (components: OriginRunsComponents, listener: OriginRunsListener, init: OriginRunsInit) {
    this.#components = components
    this.#listener = listener
    this.#init = init
  }

  /** Runs under way. */
  get count (): number {
    return this.#running.size
  }

  /** What the origin said last that was no answer. */
  get error (): unknown {
    return this.#error
  }

  /** All that were asked know no such blob. */
  get isUnknown (): boolean {
    return this.#isUnknown
  }

  /** Whether some repository is left that may have it. */
  get isUsable (): boolean {
    return [...this.#repositories.keys()].some(key => !this.#useless.has(key))
  }

  /** What no other source can mend: the store's errors, another size than we were told. */
  get fatal (): unknown {
    return this.#fatal
  }

  /** Whether the origin has sent us away for a moment only. */
  isBackSoon (nowMs: number): boolean {
    return this.#rest.isBackSoon(nowMs)
  }

  add (key: string, repository: Repository): void {
    if (!this.#repositories.has(key)) this.#repositories.set(key, repository)
  }

  /** Reads the pieces `start` (inclusive) to `end` (exclusive) when `room` is fulfilled; `onEnded` says how it ended. */
  begin (start: number, end: number, room: Promise<void>): void {
    const run: Run = { start, end }
    this.#running.set(run, room.then(async () => this.#run(run)).finally(() => { this.#running.delete(run) }))
  }

  /** The runs under way come to their end before this piece. */
  shorten (end: number): void {
    for (const run of this.#running.keys()) run.end = Math.min(run.end, end)
  }

  /** Ends the runs under way, as if they had come to their end. */
  stop (): void {
    this.#stop.abort()
    this.#stop = new AbortController()
  }

  /** Resolves when no run is under way. */
  async settled (): Promise<void> {
    await Promise.allSettled(this.#running.values())
  }

  async #run (run: Run): Promise<void> {
    const { start } = run
    const failure = await this.#readFromAny(run, this.#stop.signal)
    const nowMs = this.#components.now()
    this.#listener.onEnded(start, run.end, failure === undefined ? 0 : nowMs + this.#rest.failed(failure, nowMs))
  }

  /** One repository after the other, until bytes have come. @returns how all have failed; undefined: it came to its end, or was stopped */
  async #readFromAny (run: Run, stopped: AbortSignal): Promise<ReadFailure | undefined> {
    const failure = { isCut: false, retryAfterMs: 0, isLimited: false }
    // what others may read meanwhile is not kept from them
    const failsWhenLimited = this.#init.hasOthers?.() === true
    const usable = [...this.#repositories].filter(([key]) => !this.#useless.has(key))
    for (const [key, repository] of usable) {
      try {
        await this.#read(repository, run, failsWhenLimited, () => { failure.isCut = true }, stopped)
        this.#rest.succeeded()
        return undefined
      } catch (error) {
        if (this.#init.signal.aborted || this.#fatal !== undefined) break
        if (stopped.aborted) return undefined
        this.#failed(key, error, run.start)
        if (error instanceof OriginError && error.retryAfterMs !== undefined) {
          failure.retryAfterMs = Math.max(failure.retryAfterMs, error.retryAfterMs)
          failure.isLimited = failsWhenLimited
        }
        if (failure.isCut) break
      }
    }
    return failure
  }

  #failed (key: string, error: unknown, start: number): void {
    const { code, reason } = reasonOf(error)
    const { digest, size } = this.#init
    this.#error = error
    if (code === 'ORIGIN_NOT_FOUND' || code === 'ORIGIN_DENIED' || code === 'ORIGIN_FORBIDDEN') this.#useless.add(key)
    if (code !== 'ORIGIN_NOT_FOUND') this.#isUnknown = false
    this.#components.events.emit({ type: 'fetch:source-failed', digest, source: 'origin', at: pieceSpan(size, start).start, code, reason })
  }

  async #read (repository: Repository, run: Run, failsWhenLimited: boolean, onBytes: () => void, stopped: AbortSignal): Promise<void> {
    const { origin, events } = this.#components
    const { digest, size, partial } = this.#init
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#init.signal, stopped, stop.signal])
    const from = run.start * pieceLength(size) + (this.#init.torn.get(run.start) ?? 0)
    const endOf = (): number => Math.min(size, run.end * pieceLength(size))
    const to = endOf()
    try {
      // by the end named even of the whole the answer tells whether less could be had
      const isNamed = to < size || (from === 0 && to > pieceLength(size))
      const { body, start: at, isPart, size: told, access } = await origin.blob(repository, digest, from, { signal, ...(isNamed ? { end: to } : {}), failsWhenLimited })
      this.#isUnknown = false
      if (told !== undefined && told !== size) this.#fail(new SizeDisagreementError(digest, 'the origin', size, told))
      this.#listener.onAccess(access)
      const isWhole = at < from || (isNamed && !isPart)
      if (isWhole) await this.#listener.onWhole()
      events.emit({ type: 'fetch:source', digest, source: 'origin', start: at })
      await this.#take(body, at, isWhole ? () => size : endOf, partial, onBytes)
    } finally {
      // frees a body that is not read to its end
      stop.abort()
    }
  }

  /** @param to - where it ends, as things are now */
  async #take (body: AsyncIterable<Uint8Array>, from: number, to: () => number, partial: PartialBlob, onBytes: () => void): Promise<void> {
    const { events } = this.#components
    const { digest, size } = this.#init
    let position = from
    let unreported = 0
    const report = (): void => {
      if (unreported > 0) events.emit({ type: 'fetch:received', digest, source: 'origin', bytes: unreported })
      unreported = 0
    }
    const length = pieceLength(size)
    const { torn } = this.#init
    /** All of the piece that is being read came from the origin, now or before. */
    let isOurs = true
    try {
      for await (const chunk of body) {
        for (let offset = 0; offset < chunk.length && position < to();) {
          const piece = Math.floor(position / length)
          const pieceEnd = Math.min(size, (piece + 1) * length)
          const tornEnd = piece * length + (torn.get(piece) ?? 0)
          const partEnd = position < tornEnd ? tornEnd : pieceEnd
          const part = chunk.subarray(offset, offset + Math.min(chunk.length - offset, partEnd - position))
          const isWritten = await this.#write(partial, position, part)
          isOurs &&= isWritten || position < tornEnd
          position += part.length
          offset += part.length
          unreported += part.length
          onBytes()
          if (position === pieceEnd) {
            torn.delete(piece)
            if (isOurs) this.#listener.onPiece(piece)
            isOurs = true
          }
        }
        if (unreported >= REPORT_BYTES) report()
        const wait = this.#listener.onBytes(position, chunk.length)
        if (wait !== undefined) await wait
        if (position >= to()) break
      }
    } finally {
      report()
      const rest = position % length
      const piece = Math.floor(position / length)
      if (position < size && rest > (torn.get(piece) ?? 0) && isOurs) torn.set(piece, rest)
    }
    if (position < to()) this.#fail(new SizeDisagreementError(digest, 'the origin', size, position))
  }

  /** @returns whether it was not here already */
  async #write (partial: PartialBlob, position: number, part: Uint8Array): Promise<boolean> {
    try {
      // a body that is read from 0 passes by what is here already
      if (partial.has({ start: position, end: position + part.length })) return false
      if (!partial.tryWrite(position, part, 'origin')) await partial.write(position, part, 'origin')
      return true
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail (error: unknown): never {
    this.#fatal = error
    throw error
  }
}

/** Pieces of [start, end) of a blob. */
export function range (start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, index) => start + index)
}

/** All pieces of a blob. */
export function allPieces (size: number): number[] {
  return range(0, pieceCount(size))
}
