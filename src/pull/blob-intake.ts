import { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import type { Holding } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import type { Origin } from '../origin/origin.ts'
import type { AccessFacts } from './access-facts.ts'
import type { Blame } from './blame.ts'
import type { DownloadBudget } from './download-budget.ts'
import { ContentUnavailableError, PeerLieError, reasonOf, SizeDisagreementError } from './errors.ts'
import type { HolderSearchComponents } from './holder-search.ts'
import { isSizeConflict, type IncomingBlob } from './incoming-blob.ts'
import type { OriginSlots } from './origin-slots.ts'
import { isMissing, spanSource, type Source, type SourceOrder } from './source-order.ts'
import { abortable } from '../shared-work.ts'

/** Bytes gathered before `fetch:received` is told. */
const REPORT_BYTES = 1024 * 1024

export interface BlobIntakeComponents extends HolderSearchComponents {
  readonly origin: Origin
  readonly originSlots: OriginSlots
  readonly events: EventSink
  /** What may be taken of origins; without it there is no limit. */
  readonly limit?: Pick<DownloadBudget, 'read'>
}

/** What an intake works on. */
export interface BlobIntakeParts {
  readonly blob: IncomingBlob
  readonly order: SourceOrder
  readonly blame: Blame
  readonly access: AccessFacts
  readonly signal: AbortSignal
}

interface SourceRead {
  readonly body: AsyncIterable<Uint8Array>
  /** Leading bytes of `body` that are here already. */
  readonly skip: number
  /** The source says where its bytes end. */
  readonly hasSize: boolean
  readonly isRestricted: boolean
}

/** Fills an incoming blob from one source after another, each from the byte reached. Judges sources, not bytes. */
export class BlobIntake {
  readonly #components: BlobIntakeComponents
  readonly #parts: BlobIntakeParts
  readonly #digest: Digest
  /** Bytes in all as the peer read last says, while nobody surer has said. */
  #claim: Holding | undefined
  #isOriginAtEnd = false
  #isAlone = false
  /** The furthest byte reached since the last start: only what lies beyond is progress. */
  #furthest = 0
  #isSizeDisputed = false
  #hasDoubted = false
  #originError: unknown
  #isUnknown = true
  #storeFailure: unknown

  constructor (components: BlobIntakeComponents, parts: BlobIntakeParts) {
    this.#components = components
    this.#parts = parts
    this.#digest = parts.blob.digest
  }

  /** Reads until nothing is missing. @throws ContentUnavailableError; the store's errors; the signal's reason */
  async fill (): Promise<void> {
    const { order, signal } = this.#parts
    while (!this.#isFull()) {
      signal.throwIfAborted()
      const source = await order.next()
      signal.throwIfAborted()
      if (source === undefined) {
        if (await this.#doubtSize()) continue
        throw new ContentUnavailableError(this.#digest, { isUnknown: this.#isUnknown, cause: this.#originError })
      }
      try {
        await this.#drain(source)
      } catch (error) {
        signal.throwIfAborted()
        if (error === this.#storeFailure) throw error
        this.#sourceFailed(source, error)
      }
    }
  }

  /**
   * Goes on from `edge` after a whole that was wrong. From now on each peer starts over from the origin's bytes, so that
   * a wrong whole has one author.
   */
  async restart (edge: number): Promise<void> {
    this.#isAlone = true
    this.#isOriginAtEnd = false
    this.#claim = undefined
    await this.#parts.blob.truncate(edge)
    this.#furthest = edge
  }

  /** The peer on whose mere word the blob ends where it ends. */
  get claimant (): string | undefined {
    return this.#parts.blob.size === undefined && !this.#isOriginAtEnd ? this.#claim?.peer : undefined
  }

  /** The origin ended before the size that is known. */
  endedEarly (): void {
    this.#isOriginAtEnd = false
  }

  #isFull (): boolean {
    const { blob } = this.#parts
    const size = blob.size ?? this.#claim?.size
    return this.#isOriginAtEnd || (size !== undefined && blob.edge === size)
  }

  async #drain (source: Source): Promise<void> {
    const stop = new AbortController()
    const { signal, blob } = this.#parts
    const free = source.type === 'origin' ? await this.#components.originSlots.enter(blob.size, { signal }) : undefined
    try {
      const read = await this.#openSource(source, AbortSignal.any([signal, stop.signal]))
      if (read !== undefined) await this.#take(source, read)
    } finally {
      // frees a body that was refused before its first byte
      stop.abort()
      free?.()
    }
  }

  async #openSource (source: Source, signal: AbortSignal): Promise<SourceRead | undefined> {
    return source.type === 'peer' ? this.#openPeer(source.holding, signal) : this.#openOrigin(source.repository, signal)
  }

  async #take (source: Source, read: SourceRead): Promise<void> {
    const { events, score, now } = this.#components
    const { blob, access } = this.#parts
    const label = spanSource(source)
    const startedAt = now()
    const start = blob.edge
    events.emit({ type: 'fetch:source', digest: this.#digest, source: label, start })
    let reported = start
    const report = (): void => {
      const bytes = blob.edge - reported
      if (bytes === 0) return
      reported = blob.edge
      this.#progressed()
      events.emit({ type: 'fetch:received', digest: this.#digest, source: label, bytes })
    }
    try {
      let { skip } = read
      for await (const chunk of read.body) {
        const fresh = skip === 0 ? chunk : chunk.subarray(Math.min(skip, chunk.length))
        skip -= chunk.length - fresh.length
        if (fresh.length === 0) continue
        await this.#writing(blob.append(fresh, label))
        if (blob.edge - reported >= REPORT_BYTES) report()
        const turn = source.type === 'origin' ? this.#components.limit?.read(fresh.length, blob.size) : undefined
        if (turn !== undefined) await abortable(turn, this.#parts.signal)
      }
    } finally {
      report()
      if (source.type === 'peer' && blob.edge > start) access.peerGave(read.isRestricted)
    }
    if (source.type === 'peer') score.delivered(source.holding.peer, blob.edge - start, now() - startedAt)
    else if (!read.hasSize) this.#isOriginAtEnd = true
  }

  /** Undefined when this peer's word on the size does not fit what is known; it is judged by it when the blob is here. */
  async #openPeer (holding: Holding, signal: AbortSignal): Promise<SourceRead | undefined> {
    const { blob, blame } = this.#parts
    const { peer, size } = holding
    blame.claimed(peer, size)
    if (blob.size !== undefined && size !== blob.size) {
      this.#isSizeDisputed = true
      this.#tell({ type: 'peer', holding }, new SizeDisagreementError(this.#digest, `peer ${peer}`, blob.size, size))
      return undefined
    }
    const isOtherClaim = blob.size === undefined && this.#claim !== undefined && this.#claim.size !== size
    if (isOtherClaim || this.#isAlone) await this.#writing(blob.truncateToTrusted())
    if (blob.edge > size) {
      this.#isSizeDisputed = true
      return undefined
    }
    const read = await this.#components.peers.read(peer, 'blob', this.#digest, blob.edge, { signal })
    if (read.size !== size) throw new PeerLieError(peer, `said ${this.#digest} has ${size} bytes, then ${read.size}`)
    this.#claim = holding
    if (read.restricted) this.#parts.access.askedRestricted()
    return { body: read.body, skip: 0, hasSize: true, isRestricted: read.restricted }
  }

  async #openOrigin (repository: Repository, signal: AbortSignal): Promise<SourceRead> {
    const { blob, access } = this.#parts
    const { body, start, size, access: isFor } = await this.#components.origin.blob(repository, this.#digest, blob.edge, { signal })
    this.#isUnknown = false
    if (size !== undefined) {
      const known = blob.size ?? Math.max(size, blob.released)
      if (size !== known) {
        this.#isSizeDisputed = true
        throw new SizeDisagreementError(this.#digest, 'the origin', known, size)
      }
      if (blob.edge > size) {
        // begun on a peer's word: all of it is in doubt, but for what a reader was given of an origin's
        await this.#writing(blob.truncate(blob.released === 0 ? 0 : Math.min(await blob.trusted(), size)))
        return this.#openOrigin(repository, signal)
      }
      if (blob.size === undefined) await this.#writing(blob.setSize(size))
    }
    access.originAnswered(isFor)
    return { body, skip: blob.edge - start, hasSize: size !== undefined, isRestricted: isFor === 'restricted' }
  }

  /** All who have it say another size than we believe: perhaps we were told wrong. Then the bytes decide, and nobody gets one before. */
  async #doubtSize (): Promise<boolean> {
    const { blob, order } = this.#parts
    if (!this.#isSizeDisputed || this.#hasDoubted || blob.released > 0) return false
    this.#hasDoubted = true
    await blob.startOver()
    this.#claim = undefined
    this.#furthest = 0
    order.restart({ originFirst: false })
    return true
  }

  #progressed (): void {
    const { blob, order } = this.#parts
    order.progressed(Math.max(0, blob.edge - this.#furthest))
    this.#furthest = Math.max(this.#furthest, blob.edge)
  }

  #sourceFailed (source: Source, error: unknown): void {
    const { score, now } = this.#components
    const { order, blame } = this.#parts
    const code = this.#tell(source, error)
    if (source.type === 'origin') {
      this.#originError = error
      if (code !== 'ORIGIN_NOT_FOUND') this.#isUnknown = false
      return
    }
    const { peer } = source.holding
    if (error instanceof ShoalError && error.blamesPeer) {
      order.exclude(peer)
      blame.ban(peer, error.message)
    } else if (code === 'PEER_BUSY') {
      order.metBusy()
      this.#isUnknown = false
    } else if (!isMissing(error)) {
      score.failed(peer, now())
      this.#isUnknown = false
    }
  }

  #tell (source: Source, error: unknown): string {
    const { code, reason } = reasonOf(error)
    this.#components.events.emit({ type: 'fetch:source-failed', digest: this.#digest, source: spanSource(source), at: this.#parts.blob.edge, code, reason })
    return code
  }

  /** Remembers a failure of the store: another source would not help. */
  async #writing (work: Promise<void>): Promise<void> {
    try {
      await work
    } catch (error) {
      if (!isSizeConflict(error)) this.#storeFailure = error
      throw error
    }
  }
}
