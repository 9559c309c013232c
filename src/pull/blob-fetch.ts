import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import type { SpanSource, Store } from '../store/store.ts'
import { AccessFacts } from './access-facts.ts'
import { Blame } from './blame.ts'
import { BlobIntake, type BlobIntakeComponents } from './blob-intake.ts'
import { FetchAbandonedError, reasonOf } from './errors.ts'
import { IncomingBlob } from './incoming-blob.ts'
import { Mismatches } from './mismatch.ts'
import { SourceOrder, type SourceTimes } from './source-order.ts'

export interface BlobFetchComponents extends BlobIntakeComponents {
  readonly store: Store
}

export interface BlobFetchInit extends SourceTimes {
  /** Bytes, when a manifest has told. */
  readonly size?: number
}

/**
 * One blob on its way in, for as many callers as want it: begins with the first, ends when the whole is in the store,
 * when nobody can help, or when the last caller has left. Made and shared by `BlobFetches`; never serves HTTP.
 */
export class BlobFetch {
  readonly digest: Digest
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Fulfilled when the blob is in the store, rejected when it will not be. */
  readonly committed: Promise<void>
  /** Fulfilled when the fetch has let go of the partial blob. Never rejected. */
  readonly closed: Promise<void>
  readonly #components: BlobFetchComponents
  readonly #controller = new AbortController()
  readonly #lastCallerLeft = Promise.withResolvers<void>()
  readonly #blob: IncomingBlob
  readonly #order: SourceOrder
  readonly #blame: Blame
  readonly #access = new AccessFacts()
  readonly #intake: BlobIntake
  readonly #mismatches: Mismatches
  #callers = 0
  #hasFilledTheDisk = false

  constructor (components: BlobFetchComponents, digest: Digest, init: BlobFetchInit = {}) {
    const { signal } = this.#controller
    this.digest = digest
    this.startedAt = components.now()
    this.#components = components
    this.#blob = new IncomingBlob(components.store, digest, { size: init.size })
    this.#order = new SourceOrder(components, { ...init, kind: 'blob', digest, signal })
    this.#blame = new Blame(components, digest)
    const parts = { blob: this.#blob, order: this.#order, blame: this.#blame }
    this.#intake = new BlobIntake(components, { ...parts, access: this.#access, signal })
    this.#mismatches = new Mismatches({ ...parts, intake: this.#intake, events: components.events })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.committed = promise
    promise.catch(() => {})
    this.closed = this.#run(resolve, reject)
  }

  /** Bytes in all; undefined until somebody who knows has said. */
  get size (): number | undefined {
    return this.#blob.size
  }

  /** Bytes that are here. */
  get received (): number {
    return this.#blob.edge
  }

  get callers (): number {
    return this.#callers
  }

  get sources (): readonly SpanSource[] {
    return this.#blob.sources
  }

  /** Whether a caller who joins now would be served. */
  get isJoinable (): boolean {
    if (this.#blob.hasFailed || this.#controller.signal.aborted) return false
    return this.#callers > 0 || !this.#blob.isVerified
  }

  /** Adds a caller, and the repository it reads the blob from. */
  join (repository: Repository): void {
    this.#callers += 1
    this.#order.addRepository(repository)
  }

  /** Removes a caller; the work stops when the last has left, and keeps what it has. */
  leave (): void {
    this.#callers -= 1
    if (this.#callers > 0) return
    this.#lastCallerLeft.resolve()
    if (!this.#blob.isVerified) this.abandon()
  }

  /** Ends the work whoever still waits for it; a blob that is verified already is committed all the same. */
  abandon (): void {
    this.#lastCallerLeft.resolve()
    this.#controller.abort(new FetchAbandonedError(this.digest))
  }

  /**
   * Up to `buffer.length` bytes from `position`, as soon as one may be released; 0 at the end of the blob.
   * An empty buffer only waits.
   */
  async read (buffer: Uint8Array, position: number, options?: { signal?: AbortSignal }): Promise<number> {
    return this.#blob.read(buffer, position, options)
  }

  async #run (committed: () => void, failed: (error: unknown) => void): Promise<void> {
    const { events, now } = this.#components
    try {
      await this.#fetch()
      await this.#commit()
      events.emit({ type: 'fetch:completed', digest: this.digest, size: this.#blob.edge, durationMs: now() - this.startedAt })
      committed()
    } catch (error) {
      failed(this.#fail(error))
      await this.#letGo()
      return
    }
    await this.#convict()
    await this.#letGo()
  }

  async #fetch (): Promise<void> {
    this.#order.begin()
    await this.#blob.open()
    this.#access.resumed(this.#blob)
    this.#components.events.emit({ type: 'fetch:started', digest: this.digest, size: this.#blob.size, resumedAt: this.#blob.edge })
    while (!this.#blob.isVerified) {
      await this.#intake.fill()
      try {
        await this.#blob.verify({ signal: this.#controller.signal })
      } catch (error) {
        if (!(error instanceof ShoalError)) throw error
        if (error.code === 'DIGEST_MISMATCH') await this.#mismatches.settle(error)
        else if (error.code === 'PARTIAL_SIZE') this.#intake.endedEarly()
        else throw error
      }
    }
  }

  async #commit (): Promise<void> {
    const access = await this.#access.settle(this.#components.origin, this.#order.repositories, this.digest, { signal: this.#controller.signal })
    await this.#blob.commit({ kind: 'blob', access })
  }

  /** @returns what callers are told */
  #fail (error: unknown): unknown {
    const { events } = this.#components
    const { signal } = this.#controller
    if (this.#blob.isVerified) {
      // readers have all they need, even if it cannot be kept
      events.emit({ type: 'fetch:failed', digest: this.digest, ...reasonOf(error) })
      return error
    }
    this.#hasFilledTheDisk = error instanceof ShoalError && error.code === 'STORE_FULL'
    const failure: unknown = signal.aborted ? signal.reason : error
    this.#blob.fail(failure)
    if (signal.aborted) events.emit({ type: 'fetch:abandoned', digest: this.digest, at: this.#blob.edge })
    else events.emit({ type: 'fetch:failed', digest: this.digest, ...reasonOf(error) })
    return failure
  }

  /** The blob is in the store, whatever comes of this. */
  async #convict (): Promise<void> {
    try {
      await this.#blame.convict(this.#blob.edge, this.#components.store, { signal: this.#controller.signal })
    } catch {
      // a wrong copy that cannot be read again convicts nobody
    }
  }

  async #letGo (): Promise<void> {
    this.#order.stop()
    await this.#blame.close()
    if (this.#blob.isVerified && this.#callers > 0) await this.#lastCallerLeft.promise
    try {
      await this.#blob.close({ keep: this.#isWorthKeeping() })
    } catch {
      // callers have been told how the fetch ended; a partial that cannot be closed is found again by the next
    }
  }

  /** Not what was part of a wrong whole, nor what has filled the disk: it would leave no room for anything smaller. */
  #isWorthKeeping (): boolean {
    return this.#blob.isVerified || !(this.#mismatches.hasAny || this.#hasFilledTheDisk)
  }
}
