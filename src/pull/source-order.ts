import { setTimeout as sleep } from 'node:timers/promises'
import { ShoalError } from '../errors.ts'
import type { ContentKind, Holding } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { SpanSource } from '../store/store.ts'
import { HolderSearch, type HolderSearchComponents, type SearchTimes } from './holder-search.ts'

/** A round of sources that brought less than this is not followed by another. */
const ROUND_PROGRESS_BYTES = 64 * 1024
/** Rounds that are owed to peers that were busy. */
const MAX_BUSY_ROUNDS = 10
/** Places one blob is read from; names beyond these that callers know it by are not asked. */
const MAX_REPOSITORIES = 64
const DEFAULT_BUSY_PAUSE_MS = 300

export type Source =
  /** `withinMs`: it is given up when it takes longer to give all, in milliseconds. */
  | { readonly type: 'peer', readonly holding: Holding, readonly withinMs?: number }
  | { readonly type: 'origin', readonly repository: Repository }

export interface SourceTimes extends SearchTimes {
  /** How long to wait before busy peers are asked again, in milliseconds. @default 300 */
  readonly busyPauseMs?: number
}

export interface SourceOrderInit extends SourceTimes {
  readonly kind: ContentKind
  readonly digest: Digest
  readonly signal: AbortSignal
}

/** How a source is written in spans and events. */
export function spanSource (source: Source): SpanSource {
  return source.type === 'origin' ? 'origin' : `peer:${source.holding.peer}`
}

/** Whether a source's error only says that it has no such content, or none for us. */
export function isMissing (error: unknown): boolean {
  return error instanceof ShoalError && ['ORIGIN_NOT_FOUND', 'PEER_MISSING', 'PEER_DENIED'].includes(error.code)
}

/**
 * Whom a fetch asks next: peers that hold the digest, then the origins, then peers found late. A round of all of them
 * that brought bytes, or met a busy peer, is followed by another; so the order ends when nobody helps any more.
 * Stop it when the fetch has ended.
 */
export class SourceOrder {
  readonly #components: HolderSearchComponents
  readonly #init: SourceOrderInit
  readonly #repositories = new Map<string, Repository>()
  readonly #excluded = new Set<string>()
  #origins: Repository[] = []
  #search: HolderSearch | undefined
  #prefersOrigin = false
  #round = 0
  #roundBytes = 0
  #busyRounds = 0
  #metBusy = false

  constructor (components: HolderSearchComponents, init: SourceOrderInit) {
    this.#components = components
    this.#init = init
  }

  get repositories (): Iterable<Repository> {
    return this.#repositories.values()
  }

  /** Another place the blob may be read from; asked in this round already. */
  addRepository (repository: Repository): void {
    const key = repositoryKey(repository)
    if (this.#repositories.has(key) || this.#repositories.size === MAX_REPOSITORIES) return
    this.#repositories.set(key, repository)
    this.#origins.push(repository)
  }

  /** Does not hand out this peer again. */
  exclude (peer: string): void {
    this.#excluded.add(peer)
  }

  /** Takes back `exclude`, from the next round on. */
  readmit (peer: string): void {
    this.#excluded.delete(peer)
  }

  /** All are asked again; `originFirst` when somebody lied, and the origin settles it. */
  restart ({ originFirst }: { originFirst: boolean }): void {
    this.#prefersOrigin = originFirst
    this.#startRound()
  }

  /** So many bytes came that nobody had brought before. */
  progressed (bytes: number): void {
    this.#roundBytes += bytes
  }

  /** A peer said `busy`: worth asking again a little later. */
  metBusy (): void {
    this.#metBusy = true
  }

  /** Ends the search for holders. */
  stop (): void {
    this.#search?.stop()
  }

  /** Begins to look for holders, though nobody asks for one yet. */
  begin (): void {
    if (this.#round === 0) this.#startRound()
  }

  /** Undefined when nobody is left to ask. */
  async next (): Promise<Source | undefined> {
    this.begin()
    for (;;) {
      const source = await this.#nextOfRound()
      if (source !== undefined) return source
      if (!await this.#mayStartAnotherRound()) return undefined
      this.#startRound()
    }
  }

  async #nextOfRound (): Promise<Source | undefined> {
    const source = (this.#prefersOrigin ? this.#origin() : undefined) ?? await this.#peer(false) ?? this.#origin()
    if (source !== undefined) return source
    this.#init.signal.throwIfAborted()
    // a repository may have been added while the last peers were waited for
    return await this.#peer(true) ?? this.#origin()
  }

  #origin (): Source | undefined {
    const repository = this.#origins.shift()
    return repository === undefined ? undefined : { type: 'origin', repository }
  }

  async #peer (patient: boolean): Promise<Source | undefined> {
    for (;;) {
      const holding = await this.#search?.next({ patient, signal: this.#init.signal })
      if (holding === undefined) return undefined
      if (!this.#excluded.has(holding.peer)) return { type: 'peer', holding }
    }
  }

  #startRound (): void {
    this.#round += 1
    this.#roundBytes = 0
    this.#metBusy = false
    this.#origins = [...this.#repositories.values()]
    this.#search?.stop()
    this.#search = new HolderSearch(this.#components, { ...this.#init, excluded: this.#excluded, includeResting: this.#round > 1 })
  }

  async #mayStartAnotherRound (): Promise<boolean> {
    if (this.#roundBytes >= ROUND_PROGRESS_BYTES) return true
    const metBusy = this.#metBusy || this.#search?.metBusy === true
    if (!metBusy || this.#busyRounds === MAX_BUSY_ROUNDS) return false
    this.#busyRounds += 1
    await sleep(this.#init.busyPauseMs ?? DEFAULT_BUSY_PAUSE_MS, undefined, { signal: this.#init.signal })
    return true
  }
}
