import { setTimeout as sleep } from 'node:timers/promises'
import type { ContentKind, Holding } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import type { SpanSource } from '../store/store.ts'
import { HolderSearch, type HolderSearchComponents } from './holder-search.ts'

/** A round of sources that brought less than this is not followed by another. */
const ROUND_PROGRESS_BYTES = 64 * 1024
/** Rounds that are owed to peers that were busy, and the pause before each. */
const MAX_BUSY_ROUNDS = 10
const BUSY_PAUSE_MS = 300

export type Source =
  | { readonly type: 'peer', readonly holding: Holding }
  | { readonly type: 'origin', readonly repository: Repository }

export interface SourceOrderInit {
  readonly kind: ContentKind
  readonly digest: Digest
  readonly signal: AbortSignal
  /** @default 200 */
  readonly graceMs?: number
}

/** How a source is written in spans and events. */
export function spanSource (source: Source): SpanSource {
  return source.type === 'origin' ? 'origin' : `peer:${source.holding.peer}`
}

/**
 * Whom a fetch asks next: peers that hold the digest, then the origins, then peers found late. A round of all of them
 * that brought bytes, or met a busy peer, is followed by another; so the order ends when nobody helps any more.
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

  /** Another place the blob may be read from; asked in this round already. */
  addRepository (repository: Repository): void {
    const key = `${repository.registry}/${repository.name}`
    if (this.#repositories.has(key)) return
    this.#repositories.set(key, repository)
    this.#origins.push(repository)
  }

  /** Never hands out this peer again. */
  exclude (peer: string): void {
    this.#excluded.add(peer)
  }

  /** From now on origins come before peers: somebody lied, and the origin settles it. */
  preferOrigin (): void {
    this.#prefersOrigin = true
    this.#startRound()
  }

  progressed (bytes: number): void {
    this.#roundBytes += bytes
  }

  /** A peer said `busy`: worth asking again a little later. */
  metBusy (): void {
    this.#metBusy = true
  }

  /** Undefined when nobody is left to ask. */
  async next (): Promise<Source | undefined> {
    if (this.#round === 0) this.#startRound()
    for (;;) {
      const source = await this.#nextOfRound()
      if (source !== undefined) return source
      if (!await this.#mayStartAnotherRound()) return undefined
      this.#startRound()
    }
  }

  async #nextOfRound (): Promise<Source | undefined> {
    const { signal } = this.#init
    if (this.#prefersOrigin) {
      const repository = this.#origins.shift()
      if (repository !== undefined) return { type: 'origin', repository }
    }
    const near = await this.#peer(false)
    if (near !== undefined) return near
    const repository = this.#origins.shift()
    if (repository !== undefined) return { type: 'origin', repository }
    signal.throwIfAborted()
    return this.#peer(true)
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
    this.#search = new HolderSearch(this.#components, { ...this.#init, excluded: this.#excluded, includeResting: this.#round > 1 })
  }

  async #mayStartAnotherRound (): Promise<boolean> {
    if (this.#roundBytes >= ROUND_PROGRESS_BYTES) return true
    if (!this.#metBusy || this.#busyRounds === MAX_BUSY_ROUNDS) return false
    this.#busyRounds += 1
    await sleep(BUSY_PAUSE_MS, undefined, { signal: this.#init.signal })
    return true
  }
}
