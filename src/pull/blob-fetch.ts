import { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import type { Holding } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import type { Origin } from '../origin/origin.ts'
import type { Access, PartialBlob, SpanSource, Store } from '../store/store.ts'
import { Blame } from './blame.ts'
import { ContentUnavailableError, FetchAbandonedError, SizeDisagreementError, WrongContentError } from './errors.ts'
import type { HolderSearchComponents } from './holder-search.ts'
import { releasableEdge, trustedEdge } from './release.ts'
import { abortable } from './shared-work.ts'
import { SourceOrder, spanSource, type Source } from './source-order.ts'

/** Bytes gathered before `fetch:received` is told. */
const REPORT_BYTES = 1024 * 1024
/** Whole blobs that did not match before the fetch gives up. */
const MAX_MISMATCHES = 8

export interface BlobFetchComponents extends HolderSearchComponents {
  readonly store: Store
  readonly origin: Origin
  readonly events: EventSink
}

export interface BlobFetchInit {
  /** Bytes, when a manifest has told. */
  readonly size?: number
  /** How long peers may take to say that they hold it before the origin is asked, in milliseconds. @default 200 */
  readonly graceMs?: number
}

interface SourceRead {
  readonly body: AsyncIterable<Uint8Array>
  /** Leading bytes of `body` that are here already. */
  readonly skip: number
  readonly access: Access
  /** Bytes in all, as the source says. */
  readonly size: number | undefined
}

/**
 * One blob on its way in, for as many callers as want it. Owns the partial blob, asks one source after another for what
 * is missing from the byte reached, and says how far callers may read. Made and shared by `BlobFetches`; never serves HTTP.
 */
export class BlobFetch {
  readonly digest: Digest
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Fulfilled when the blob is in the store, rejected when it will not be. */
  readonly committed: Promise<void>
  /** Settles when the fetch has let go of the partial blob. */
  readonly closed: Promise<void>
  readonly #components: BlobFetchComponents
  readonly #init: BlobFetchInit
  readonly #controller = new AbortController()
  readonly #order: SourceOrder
  readonly #blame: Blame
  readonly #lastCallerLeft = Promise.withResolvers<void>()
  #partial: PartialBlob | undefined
  #change = Promise.withResolvers<void>()
  #failure: unknown
  #isVerified = false
  #appended = 0
  /** Bytes in all as the source read last says, while nobody surer has said. */
  #claimedSize: number | undefined
  #isOriginAtEnd = false
  #isSolo = false
  #mismatches = 0
  #hasReleased = false
  #access: Access = 'restricted'
  #callers = 0
  #originError: unknown
  #isUnknown = true

  constructor (components: BlobFetchComponents, digest: Digest, init: BlobFetchInit = {}) {
    this.digest = digest
    this.startedAt = components.now()
    this.#components = components
    this.#init = init
    this.#order = new SourceOrder(components, { kind: 'blob', digest, signal: this.#controller.signal, graceMs: init.graceMs })
    this.#blame = new Blame(components, digest)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.committed = promise
    promise.catch(() => {})
    this.closed = this.#run(resolve, reject)
  }

  /** Bytes in all; undefined until somebody who knows has said. */
  get size (): number | undefined {
    return this.#partial?.size ?? this.#init.size ?? (this.#isVerified ? this.#appended : undefined)
  }

  /** Bytes that are here. */
  get received (): number {
    return this.#appended
  }

  get callers (): number {
    return this.#callers
  }

  get sources (): readonly SpanSource[] {
    return [...new Set(this.#partial?.spans.map(span => span.source))]
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
    if (!this.#isVerified) this.abandon()
  }

  abandon (): void {
    this.#lastCallerLeft.resolve()
    this.#controller.abort(new FetchAbandonedError(this.digest))
  }

  /** Whether a caller who joins now would be served. */
  get isJoinable (): boolean {
    return this.#failure === undefined && !this.#controller.signal.aborted && (this.#callers > 0 || !this.#isVerified)
  }

  /**
   * Up to `buffer.length` bytes from `position`, as soon as one may be released; 0 at the end of the blob.
   * An empty buffer only waits.
   */
  async read (buffer: Uint8Array, position: number, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure as Error
      const partial = this.#partial
      if (partial !== undefined) {
        const room = this.#releasable(partial) - position
        if (room > 0) {
          if (buffer.length === 0) return 0
          this.#hasReleased = true
          return partial.read(buffer.subarray(0, Math.min(buffer.length, room)), position)
        }
        if (this.#isVerified) return 0
      }
      await abortable(this.#change.promise, signal)
    }
  }

  async #run (committed: () => void, failed: (error: unknown) => void): Promise<void> {
    const { events, now } = this.#components
    try {
      const partial = await this.#open()
      events.emit({ type: 'fetch:started', digest: this.digest, size: this.size, resumedAt: this.#appended })
      await this.#fetchUntilRight(partial)
      this.#isVerified = true
      this.#notify()
      await this.#finish(partial)
      events.emit({ type: 'fetch:completed', digest: this.digest, size: this.#appended, durationMs: now() - this.startedAt })
      committed()
    } catch (error) {
      failed(error)
      // callers of a verified blob have all they need, even if it cannot be kept
      if (!this.#isVerified) this.#failure = error
      this.#tellFailure(error)
      this.#notify()
    } finally {
      await this.#letGo()
    }
  }

  async #open (): Promise<PartialBlob> {
    const { store } = this.#components
    const { size } = this.#init
    let partial = await store.openPartial(this.digest)
    if (size !== undefined && (partial.edge > size || (partial.size ?? size) !== size)) {
      // begun when somebody said another size; the manifest knows better
      await partial.discard()
      partial = await store.openPartial(this.digest)
    }
    if (size !== undefined && partial.size === undefined) await partial.setSize(size)
    partial.onEdge = () => { this.#notify() }
    this.#partial = partial
    this.#appended = partial.edge
    return partial
  }

  async #fetchUntilRight (partial: PartialBlob): Promise<void> {
    for (;;) {
      await this.#fill(partial)
      try {
        await partial.verify({ signal: this.#controller.signal })
        return
      } catch (error) {
        if (!(error instanceof ShoalError)) throw error
        if (error.code === 'DIGEST_MISMATCH') await this.#settleMismatch(partial, error)
        else if (error.code === 'PARTIAL_SIZE') this.#isOriginAtEnd = false
        else throw error
      }
    }
  }

  /** Reads from one source after another until nothing is missing. */
  async #fill (partial: PartialBlob): Promise<void> {
    const { signal } = this.#controller
    while (!this.#isFull(partial)) {
      signal.throwIfAborted()
      const source = await this.#order.next()
      signal.throwIfAborted()
      if (source === undefined) throw new ContentUnavailableError(this.digest, { isUnknown: this.#isUnknown, cause: this.#originError })
      try {
        await this.#drain(partial, source)
      } catch (error) {
        if (signal.aborted || isOurFault(error)) throw error
        this.#sourceFailed(source, error)
      }
    }
  }

  #isFull (partial: PartialBlob): boolean {
    const size = partial.size ?? this.#claimedSize
    return this.#isOriginAtEnd || (size !== undefined && this.#appended === size)
  }

  async #drain (partial: PartialBlob, source: Source): Promise<void> {
    const { events, score, now } = this.#components
    const label = spanSource(source)
    if (source.type === 'peer' && !await this.#mayReadFrom(partial, source.holding)) return
    const startedAt = now()
    const start = this.#appended
    const read = source.type === 'peer' ? await this.#readPeer(source.holding) : await this.#readOrigin(partial, source.repository)
    if (read.access === 'public') this.#access = 'public'
    events.emit({ type: 'fetch:source', digest: this.digest, source: label, start })
    let reported = start
    const report = (): void => {
      const bytes = this.#appended - reported
      if (bytes <= 0) return
      reported = this.#appended
      this.#order.progressed(bytes)
      events.emit({ type: 'fetch:received', digest: this.digest, source: label, bytes })
    }
    try {
      let skip = read.skip
      for await (const chunk of read.body) {
        const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length))
        skip -= chunk.length - fresh.length
        if (fresh.length === 0) continue
        await partial.append(fresh, label)
        this.#appended += fresh.length
        if (this.#appended - reported >= REPORT_BYTES) report()
      }
    } finally {
      report()
    }
    if (source.type === 'peer') score.delivered(source.holding.peer, this.#appended - start, now() - startedAt)
    else if (read.size === undefined) this.#isOriginAtEnd = true
  }

  /**
   * Whether this peer's word on the size fits, making room for it where nobody surer has said; in solo mode each peer
   * starts over from the trusted bytes, so that a wrong blob has one author.
   */
  async #mayReadFrom (partial: PartialBlob, holding: Holding): Promise<boolean> {
    this.#blame.claimed(holding.peer, holding.size)
    if (partial.size !== undefined && holding.size !== partial.size) return false
    const trusted = trustedEdge(partial.spans)
    const isOtherClaim = partial.size === undefined && this.#claimedSize !== undefined && this.#claimedSize !== holding.size
    if (isOtherClaim || this.#isSolo) await this.#truncate(partial, trusted)
    if (this.#appended > holding.size) return false
    this.#claimedSize = holding.size
    return true
  }

  async #readPeer (holding: Holding): Promise<SourceRead> {
    const { signal } = this.#controller
    const read = await this.#components.peers.read(holding.peer, 'blob', this.digest, this.#appended, { signal })
    return { body: read.body, skip: 0, access: read.restricted ? 'restricted' : 'public', size: read.size }
  }

  async #readOrigin (partial: PartialBlob, repository: Repository): Promise<SourceRead> {
    const { signal } = this.#controller
    const blob = await this.#components.origin.blob(repository, this.digest, this.#appended, { signal })
    this.#isUnknown = false
    if (blob.size !== undefined && partial.size !== undefined && blob.size !== partial.size) throw new SizeDisagreementError(this.digest, partial.size, blob.size)
    if (blob.size !== undefined && partial.size === undefined) {
      if (this.#appended > blob.size) await this.#truncate(partial, 0)
      await partial.setSize(blob.size)
      this.#notify()
    }
    return { body: blob.body, skip: this.#appended - blob.start, access: blob.access, size: blob.size }
  }

  #sourceFailed (source: Source, error: unknown): void {
    const { events, score, now } = this.#components
    const code = error instanceof ShoalError ? error.code : 'UNKNOWN'
    const reason = error instanceof Error ? error.message : String(error)
    events.emit({ type: 'fetch:source-failed', digest: this.digest, source: spanSource(source), at: this.#appended, code, reason })
    if (source.type === 'origin') {
      this.#originError = error
      if (code !== 'ORIGIN_NOT_FOUND') this.#isUnknown = false
      return
    }
    const { peer } = source.holding
    if (error instanceof ShoalError && error.blamesPeer) {
      this.#ban(peer, reason)
    } else if (code === 'PEER_BUSY') {
      this.#order.metBusy()
    } else if (code !== 'PEER_MISSING') {
      score.failed(peer, now())
      this.#isUnknown = false
    }
  }

  /**
   * The whole does not match. With one author the liar is known; with several the wrong bytes are kept as evidence, and
   * who lied shows when the right ones are here. Trusted bytes stay: clients may have them already.
   */
  async #settleMismatch (partial: PartialBlob, cause: ShoalError): Promise<void> {
    this.#components.events.emit({ type: 'fetch:mismatch', digest: this.digest, sources: this.sources })
    this.#mismatches += 1
    const trusted = trustedEdge(partial.spans)
    const peers = this.sources.flatMap(source => source === 'origin' ? [] : [source.slice('peer:'.length)])
    const isOriginWrong = peers.length === 0
    if (this.#mismatches === MAX_MISMATCHES || (isOriginWrong && (this.#hasReleased || this.#mismatches > 1))) {
      await this.#truncate(partial, 0)
      throw new WrongContentError(this.digest, { cause })
    }
    const [author] = peers
    if (author !== undefined && peers.length === 1 && trusted === 0) {
      this.#ban(author, `sent bytes that do not match ${this.digest}`)
    } else if (!isOriginWrong) {
      this.#blame.addEvidence(await partial.setAside())
      if (author !== undefined && peers.length === 1) this.#order.exclude(author)
    }
    this.#isSolo = true
    this.#isOriginAtEnd = false
    this.#claimedSize = undefined
    await this.#truncate(partial, isOriginWrong ? 0 : trusted)
    this.#order.preferOrigin()
  }

  async #finish (partial: PartialBlob): Promise<void> {
    await partial.commit({ kind: 'blob', access: this.#access })
    await this.#blame.convict(this.#appended, this.#components.store)
  }

  #ban (peer: string, reason: string): void {
    this.#order.exclude(peer)
    this.#blame.ban(peer, reason)
  }

  async #truncate (partial: PartialBlob, edge: number): Promise<void> {
    await partial.truncate(edge)
    this.#appended = edge
  }

  async #letGo (): Promise<void> {
    await this.#blame.close()
    if (this.#failure === undefined && this.#callers > 0) await this.#lastCallerLeft.promise
    if (this.#partial !== undefined) await this.#partial.close()
  }

  #tellFailure (error: unknown): void {
    const { events } = this.#components
    if (error instanceof FetchAbandonedError || this.#controller.signal.aborted) {
      events.emit({ type: 'fetch:abandoned', digest: this.digest, at: this.#appended })
      return
    }
    const code = error instanceof ShoalError ? error.code : 'UNKNOWN'
    events.emit({ type: 'fetch:failed', digest: this.digest, code, reason: error instanceof Error ? error.message : String(error) })
  }

  #releasable (partial: PartialBlob): number {
    return releasableEdge({ spans: partial.spans, edge: partial.edge, size: partial.size, isVerified: this.#isVerified })
  }

  #notify (): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }
}

/** Errors of our own store: another source would not help. */
function isOurFault (error: unknown): boolean {
  return error instanceof ShoalError && error.code.startsWith('STORE_')
}
