import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import { repositoryKey } from '../oci/repository.ts'
import type { PartialBlob, SpanSource, Store } from '../store/store.ts'
import type { OriginPolicy } from '../swarm/origin-plan.ts'
import { lastPieceStart, pieceLength } from '../swarm/pieces.ts'
import { AccessFacts } from './access-facts.ts'
import { Audit } from './audit.ts'
import { Blame } from './blame.ts'
import { Download, type DownloadComponents, type DownloadTimes } from './download.ts'
import { FetchAbandonedError, reasonOf } from './errors.ts'
import type { Fetch } from './fetch.ts'
import { ReaderPace } from './reader-pace.ts'
import { abortable } from '../shared-work.ts'

export interface SwarmFetchComponents extends DownloadComponents {
  readonly store: Store
}

export interface SwarmFetchInit extends DownloadTimes {
  /** Bytes, as a manifest has told. */
  readonly size: number
  readonly originPolicy?: OriginPolicy
}

/**
 * One blob of known size on its way in from members and the origin, for as many callers as want it: begins with the first, ends
 * when the whole is in the store, when nobody can help, or when the last caller has left. Says how far readers may read, and
 * never changes a byte that one of them was given.
 */
export class SwarmFetch implements Fetch {
  readonly digest: Digest
  readonly startedAt: number
  readonly committed: Promise<void>
  readonly closed: Promise<void>
  readonly size: number
  readonly #components: SwarmFetchComponents
  readonly #init: SwarmFetchInit
  readonly #controller = new AbortController()
  readonly #lastCallerLeft = Promise.withResolvers<void>()
  readonly #access = new AccessFacts()
  readonly #repositories = new Map<string, Repository>()
  readonly #pace = new ReaderPace()
  readonly #pieceLength: number
  /** Pieces of which a reader was given bytes before the whole was verified. */
  readonly #given = new Set<number>()
  #partial: PartialBlob | undefined
  #download: Download | undefined
  #audit: Audit | undefined
  #callers = 0
  #isVerified = false
  #isWorthKeeping = true
  #failure: { readonly error: unknown } | undefined
  #change = Promise.withResolvers<void>()

  constructor (components: SwarmFetchComponents, digest: Digest, init: SwarmFetchInit) {
    this.digest = digest
    this.size = init.size
    this.startedAt = components.now()
    this.#components = components
    this.#init = init
    this.#pieceLength = pieceLength(init.size)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.committed = promise
    promise.catch(() => {})
    this.closed = this.#run(resolve, reject)
  }

  get received (): number {
    return this.#isVerified ? this.size : this.#download?.received ?? 0
  }

  get callers (): number {
    return this.#callers
  }

  get sources (): readonly SpanSource[] {
    return [...new Set((this.#partial?.spans ?? []).map(span => span.source))]
  }

  get isJoinable (): boolean {
    if (this.#failure !== undefined || this.#controller.signal.aborted) return false
    return this.#callers > 0 || !this.#isVerified
  }

  join (repository: Repository): void {
    this.#callers += 1
    this.#repositories.set(repositoryKey(repository), repository)
    this.#download?.addRepository(repository)
  }

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

  async read (buffer: Uint8Array, position: number, { signal }: { signal?: AbortSignal } = {}): Promise<number> {
    const reader = {}
    try {
      for (;;) {
        if (this.#failure !== undefined) throw this.#failure.error
        const partial = this.#partial
        const room = partial === undefined ? 0 : this.#releasableEnd(position) - position
        if (partial !== undefined && room > 0) {
          if (buffer.length === 0 && this.#isReadable(partial, position)) return 0
          const read = buffer.length === 0 ? 0 : await partial.read(buffer.subarray(0, Math.min(buffer.length, room)), position)
          if (read > 0) {
            this.#gave(position, read)
            return read
          }
        } else if (this.#isVerified) {
          return 0
        }
        this.#download?.wanted(reader, position)
        await abortable(this.#change.promise, signal)
      }
    } finally {
      this.#download?.wanted(reader, undefined)
    }
  }

  async #run (committed: () => void, failed: (error: unknown) => void): Promise<void> {
    const { events, now } = this.#components
    try {
      await this.#fetch()
      await this.#commit()
      events.emit({ type: 'fetch:completed', digest: this.digest, size: this.size, durationMs: now() - this.startedAt })
      committed()
    } catch (error) {
      failed(await this.#fail(error))
      await this.#letGo()
      return
    }
    await this.#letGo()
  }

  async #fetch (): Promise<void> {
    const { events, store } = this.#components
    const { signal } = this.#controller
    const partial = await this.#open(store)
    signal.throwIfAborted()
    this.#access.resumed(partial)
    const download = new Download(this.#components, {
      ...this.#init,
      digest: this.digest,
      kind: 'blob',
      partial,
      access: this.#access,
      policy: this.#init.originPolicy,
      signal,
      onChange: () => { this.#notify() },
      onOriginBytes: position => this.#pace.isDue(position) ? this.#pace.wait(position) : undefined,
      onLie: (peer, reason) => { this.#ban(peer, reason) },
      onAccused: accusation => { this.#audit?.hear(accusation, { signal }) },
      onSuspect: (signer, accuser) => { this.#audit?.suspect(signer, accuser) },
      onHelpless: () => this.#audit?.relent() ?? false,
      onLiar: peer => { this.#audit?.disbelieve(peer) }
    })
    this.#download = download
    for (const repository of this.#repositories.values()) download.addRepository(repository)
    events.emit({ type: 'fetch:started', digest: this.digest, size: this.size, resumedAt: download.received })
    const audit = new Audit(this.#components, {
      digest: this.digest,
      size: this.size,
      download,
      repositories: this.#repositories,
      mayAskOrigin: this.#init.originPolicy !== 'never',
      given: this.#given,
      ban: (peer, reason) => { this.#ban(peer, reason, { isTold: true }) }
    })
    this.#audit = audit
    download.start()
    if (download.received > 0) this.#askAccess(download).catch(() => {})
    for (;;) {
      await abortable(download.done, signal)
      await abortable(audit.idle(), signal)
      if (!download.session.isComplete) continue
      try {
        await partial.verify({ signal })
        break
      } catch (error) {
        if (!(error instanceof ShoalError) || error.code !== 'DIGEST_MISMATCH') throw error
        events.emit({ type: 'fetch:mismatch', digest: this.digest, sources: this.sources })
        this.#isWorthKeeping = false
        await download.lost(await audit.settle(error, { signal }))
      }
    }
    this.#isVerified = true
    this.#isWorthKeeping = true
    audit.convict()
    for (const peer of download.sizeLiars) this.#ban(peer, `said that it holds ${this.digest} with another size than ${this.size} bytes`)
    this.#notify()
  }

  /** Where the origin may be asked about the blob. */
  get #askable (): Iterable<Repository> {
    return this.#init.originPolicy === 'never' ? [] : this.#repositories.values()
  }

  /** Members wait for what an earlier fetch has left, and who may have it was not noted. */
  async #askAccess (download: Download): Promise<void> {
    if (this.#access.known !== undefined) return
    await this.#access.ask(this.#components.origin, this.#askable, this.digest, { signal: this.#controller.signal })
    if (this.#access.known !== undefined) download.accessTold(this.#access.known)
  }

  /** What was kept of an earlier fetch, unless that believed in another size. */
  async #open (store: Store): Promise<PartialBlob> {
    const { signal } = this.#controller
    let partial = await store.openPartial(this.digest, { signal })
    this.#partial = partial
    const end = partial.spans.at(-1)?.end ?? 0
    if (end > this.size || (partial.size ?? this.size) !== this.size) {
      await partial.discard()
      partial = await store.openPartial(this.digest, { signal })
      this.#partial = partial
    }
    partial.onReadable = () => { this.#notify() }
    if (partial.size === undefined) await partial.setSize(this.size)
    await this.#eraseTorn(partial)
    return partial
  }

  /** Of pieces that are not here whole nothing is kept: whoever sends one sends all of it. */
  async #eraseTorn (partial: PartialBlob): Promise<void> {
    const length = this.#pieceLength
    for (const span of partial.spans) {
      for (const at of [span.start, span.end - 1]) {
        const piece = { start: at - at % length, end: Math.min(this.size, at - at % length + length) }
        if (!partial.has(piece)) await partial.erase(piece)
      }
    }
  }

  async #commit (): Promise<void> {
    const { signal } = this.#controller
    const access = await this.#access.settle(this.#components.origin, this.#askable, this.digest, { signal })
    await this.#partial?.commit({ kind: 'blob', access })
    await this.#download?.stop()
    if (this.#download !== undefined) await this.#components.exchange.stored(this.#download.participation)
  }

  /** @returns what callers are told */
  async #fail (error: unknown): Promise<unknown> {
    const { events } = this.#components
    const { signal } = this.#controller
    if (this.#download !== undefined) {
      this.#components.exchange.end(this.#download.participation)
      this.#controller.abort(error)
      await this.#download.stop()
    }
    if (this.#isVerified) {
      // readers have all they need, even if it cannot be kept
      events.emit({ type: 'fetch:failed', digest: this.digest, ...reasonOf(error) })
      return error
    }
    if (error instanceof ShoalError && error.code === 'STORE_FULL') this.#isWorthKeeping = false
    const isAbandoned = signal.reason instanceof FetchAbandonedError
    const failure: unknown = isAbandoned ? signal.reason : error
    this.#failure = { error: failure }
    this.#notify()
    if (isAbandoned) events.emit({ type: 'fetch:abandoned', digest: this.digest, at: this.#download?.received ?? 0 })
    else events.emit({ type: 'fetch:failed', digest: this.digest, ...reasonOf(error) })
    return failure
  }

  async #letGo (): Promise<void> {
    if (this.#isVerified && this.#callers > 0) await this.#lastCallerLeft.promise
    try {
      if (this.#isWorthKeeping) await this.#partial?.close()
      else await this.#partial?.discard()
    } catch {
      // callers have been told how the fetch ended; a partial that cannot be closed is found again by the next
    }
  }

  /** @param isTold - what it did has been said to it: that goes out before the link ends */
  #ban (peer: string, reason: string, { isTold = false } = {}): void {
    new Blame(this.#components, this.digest).ban(peer, reason)
    this.#components.exchange.disbelieve(peer)
    if (isTold) this.#components.exchange.dismiss(peer)
    else this.#components.exchange.cut(peer, new Error(reason))
  }

  #gave (position: number, length: number): void {
    this.#pace.gave(position + length)
    if (this.#isVerified) return
    for (let piece = Math.floor(position / this.#pieceLength); piece * this.#pieceLength < position + length; piece++) this.#given.add(piece)
  }

  #isReadable (partial: PartialBlob, position: number): boolean {
    return partial.has({ start: position, end: position + 1 })
  }

  /**
   * Bytes from `position` up to here may be given to clients, as far as they are here. Before the whole blob matches: pieces that
   * somebody trusted vouches for or that came straight from the origin, but never the last piece, so that no client ever
   * gets a complete response with wrong bytes. Afterwards: everything.
   */
  #releasableEnd (position: number): number {
    if (this.#isVerified) return this.size
    const download = this.#download
    if (download === undefined) return 0
    const limit = lastPieceStart(this.size)
    let end = position
    while (end < limit) {
      const piece = Math.floor(end / this.#pieceLength)
      if (!download.isTrusted(piece) && !download.isFromOrigin(piece)) break
      end = (piece + 1) * this.#pieceLength
      if (end - position > 16 * this.#pieceLength) break
    }
    return Math.min(end, limit)
  }

  #notify (): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }
}
