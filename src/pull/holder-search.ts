import { setTimeout as sleep } from 'node:timers/promises'
import type { ContentKind, Holding, PeerContent } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { Router } from '../routing/router.ts'
import type { PeerScore } from '../swarm/peer-score.ts'
import { abortable } from './shared-work.ts'

/** Neighbours asked directly, best first; the DHT knows the others. */
const MAX_NEIGHBOURS_ASKED = 64
/** Providers from the DHT asked at once. */
const MAX_PROVIDERS_ASKED = 20

export interface HolderSearchComponents {
  readonly peers: PeerContent
  readonly router: Router
  readonly score: PeerScore
  readonly now: () => number
}

export interface HolderSearchInit {
  readonly kind: ContentKind
  readonly digest: Digest
  /** Ends the search. */
  readonly signal: AbortSignal
  /** Peers not to ask. */
  readonly excluded?: ReadonlySet<string>
  /** Also ask peers that failed lately. @default false */
  readonly includeResting?: boolean
  /** How long `next` waits for first answers, in milliseconds. @default 200 */
  readonly graceMs?: number
  /** How long providers are looked for, in milliseconds. @default 700 */
  readonly deadlineMs?: number
}

const DEFAULT_GRACE_MS = 200
const DEFAULT_DEADLINE_MS = 700

/** The best holder, and no more searching after it. */
export async function findHolder (components: HolderSearchComponents, init: Omit<HolderSearchInit, 'signal'>, { patient = false, signal }: { patient?: boolean, signal?: AbortSignal } = {}): Promise<Holding | undefined> {
  const stop = new AbortController()
  try {
    return await new HolderSearch(components, { ...init, signal: stop.signal }).next({ patient, signal })
  } finally {
    stop.abort()
  }
}

/**
 * Who holds a digest: connected neighbours are asked directly while the DHT is searched, so that a hit next door needs
 * no walk. Starts at once; holders are handed out best first, each once.
 */
export class HolderSearch {
  readonly #components: HolderSearchComponents
  readonly #init: HolderSearchInit
  readonly #asked: Set<string>
  readonly #holders = new Map<string, Holding>()
  readonly #finished: Promise<void>
  readonly #grace: Promise<void>
  #wake = Promise.withResolvers<void>()
  #isFinished = false

  constructor (components: HolderSearchComponents, init: HolderSearchInit) {
    this.#components = components
    this.#init = init
    this.#asked = new Set(init.excluded)
    this.#finished = Promise.all([this.#askNeighbours(), this.#askProviders()]).then(() => {
      this.#isFinished = true
      this.#changed()
    })
    const grace = sleep(init.graceMs ?? DEFAULT_GRACE_MS, undefined, { signal: init.signal, ref: false }).catch(() => {})
    this.#grace = Promise.race([this.#finished, grace])
  }

  /**
   * The best holder known that was not handed out yet. Undefined: nobody within the grace.
   * With `patient`, undefined only when the whole search has ended.
   */
  async next ({ patient = false, signal }: { patient?: boolean, signal?: AbortSignal } = {}): Promise<Holding | undefined> {
    let isOver = false
    const end = (patient ? this.#finished : this.#grace).then(() => { isOver = true })
    for (;;) {
      const holder = this.#take()
      if (holder !== undefined || isOver || this.#isFinished) return holder
      await abortable(Promise.race([end, this.#wake.promise]), signal)
    }
  }

  #take (): Holding | undefined {
    const [best] = this.#components.score.rank(this.#holders.keys(), this.#components.now())
    if (best === undefined) return undefined
    const holding = this.#holders.get(best)
    this.#holders.delete(best)
    return holding
  }

  async #askNeighbours (): Promise<void> {
    const { peers, score, now } = this.#components
    const neighbours = score.rank(peers.neighbours(), now()).slice(0, MAX_NEIGHBOURS_ASKED)
    await Promise.all(neighbours.map(async peer => { await this.#ask(peer) }))
  }

  async #askProviders (): Promise<void> {
    const { router } = this.#components
    const { digest, signal, deadlineMs = DEFAULT_DEADLINE_MS } = this.#init
    if (!router.isReady()) return
    const asks: Array<Promise<void>> = []
    try {
      for await (const { peer } of router.findProviders(digest, { signal: AbortSignal.any([signal, AbortSignal.timeout(deadlineMs)]) })) {
        asks.push(this.#ask(peer))
        if (asks.length === MAX_PROVIDERS_ASKED) break
      }
    } catch {
      // a walk that fails or runs out of time has found whom it has found
    }
    await Promise.all(asks)
  }

  async #ask (peer: string): Promise<void> {
    const { peers, score, now } = this.#components
    const { kind, digest, signal, includeResting = false } = this.#init
    if (this.#asked.has(peer) || score.isBanned(peer, now())) return
    if (!includeResting && score.isResting(peer, now())) return
    this.#asked.add(peer)
    try {
      const holding = await peers.have(peer, kind, digest, { signal })
      if (holding !== undefined) this.#holders.set(peer, holding)
    } catch {
      if (!signal.aborted) score.failed(peer, now())
    }
    this.#changed()
  }

  #changed (): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}
