import { setTimeout as sleep } from 'node:timers/promises'
import { ShoalError } from '../errors.ts'
import type { ContentKind, Holding, PeerContent } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { Router } from '../routing/router.ts'
import type { PeerScore } from '../swarm/peer-score.ts'
import { abortable } from '../shared-work.ts'

/** Neighbours may answer before the DHT is asked: a hit next door then costs nobody a walk. */
const HEAD_START_MS = 20
/** Neighbours asked directly, best first; the DHT knows the others. */
const MAX_NEIGHBOURS_ASKED = 64
/** Providers from the DHT asked at once, those not counted that were asked as neighbours. */
const MAX_PROVIDERS_ASKED = 20
/** Providers listened to; a walk that names more is no longer worth following. */
const MAX_PROVIDERS_HEARD = 1000

export interface HolderSearchComponents {
  readonly peers: PeerContent
  readonly router: Router
  readonly score: PeerScore
  readonly now: () => number
}

export interface SearchTimes {
  /** How long peers may take to say that they hold it before the origin is asked, in milliseconds. @default 200 */
  readonly graceMs?: number
  /** How long holders are waited for when nobody else is left, from the search's start, in milliseconds. @default 800 */
  readonly searchMs?: number
}

export interface HolderSearchInit extends SearchTimes {
  readonly kind: ContentKind
  readonly digest: Digest
  /** Ends the search, as `stop` does. */
  readonly signal?: AbortSignal
  /** Peers not to ask. */
  readonly excluded?: ReadonlySet<string>
  /** Also ask peers that failed lately. @default false */
  readonly includeResting?: boolean
}

const DEFAULT_GRACE_MS = 200
const DEFAULT_SEARCH_MS = 800

/** The best holder, and no more searching after it. */
export async function findHolder (components: HolderSearchComponents, init: HolderSearchInit, { patient = false, signal }: { patient?: boolean, signal?: AbortSignal } = {}): Promise<Holding | undefined> {
  const search = new HolderSearch(components, init)
  try {
    return await search.next({ patient, signal })
  } finally {
    search.stop()
  }
}

/**
 * Who holds a digest: connected neighbours are asked directly, and a moment later, or when none of them has it, the DHT
 * alongside, so that a hit next door needs no walk. Starts at once; holders are handed out best first, each once.
 * Answers that come late are still handed out to whoever asks then; stop the search when nobody will.
 */
export class HolderSearch {
  readonly #components: HolderSearchComponents
  readonly #init: HolderSearchInit
  readonly #stopped = new AbortController()
  readonly #signal: AbortSignal
  readonly #asked: Set<string>
  readonly #holders = new Map<string, Holding>()
  readonly #finished: Promise<void>
  readonly #grace: Promise<void>
  #wake = Promise.withResolvers<void>()
  #isFinished = false
  #hasFound = false
  #metBusy = false

  constructor (components: HolderSearchComponents, init: HolderSearchInit) {
    this.#components = components
    this.#init = init
    this.#signal = init.signal === undefined ? this.#stopped.signal : AbortSignal.any([init.signal, this.#stopped.signal])
    this.#asked = new Set(init.excluded)
    const { graceMs = DEFAULT_GRACE_MS, searchMs = DEFAULT_SEARCH_MS } = init
    const over = new AbortController()
    const isOver = AbortSignal.any([this.#signal, over.signal])
    const timer = (ms: number): Promise<void> => sleep(ms, undefined, { signal: isOver }).catch(() => {})
    const neighbours = this.#askNeighbours()
    const asked = Promise.allSettled([neighbours, this.#askProviders(neighbours, timer, isOver)])
    this.#finished = Promise.race([asked, timer(searchMs)]).then(() => {
      this.#isFinished = true
      over.abort()
      this.#changed()
    })
    this.#grace = Promise.race([this.#finished, timer(graceMs)])
  }

  /** Whether a peer was too busy to answer: worth asking again a little later. */
  get metBusy (): boolean {
    return this.#metBusy
  }

  /** Ends all questions under way. */
  stop (): void {
    this.#stopped.abort()
  }

  /**
   * The best holder known that was not handed out yet. Undefined: nobody within the grace.
   * With `patient`, undefined only when the whole search has ended.
   */
  async next ({ patient = false, signal }: { patient?: boolean, signal?: AbortSignal } = {}): Promise<Holding | undefined> {
    let isOver = false
    const end = (patient ? this.#finished : this.#grace).then(() => { isOver = true })
    for (;;) {
      signal?.throwIfAborted()
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
    await Promise.all(neighbours.map(async peer => this.#ask(peer)))
  }

  async #askProviders (neighbours: Promise<void>, timer: (ms: number) => Promise<void>, signal: AbortSignal): Promise<void> {
    const { router } = this.#components
    if (!router.isReady()) return
    const headStart = timer(HEAD_START_MS)
    await Promise.race([headStart, neighbours])
    if (this.#hasFound) await headStart
    if (!router.mayKnowMore(this.#asked)) await neighbours
    if (signal.aborted || !router.mayKnowMore(this.#asked)) return
    const asks: Array<Promise<void>> = []
    let heard = 0
    try {
      for await (const { peer } of router.findProviders(this.#init.digest, { signal })) {
        const ask = this.#ask(peer)
        if (ask !== undefined) asks.push(ask)
        heard += 1
        if (asks.length === MAX_PROVIDERS_ASKED || heard === MAX_PROVIDERS_HEARD) break
      }
    } catch {
      // a walk that fails or runs out of time has found whom it has found
    }
    await Promise.all(asks)
  }

  /** Undefined when the peer is not worth asking. */
  #ask (peer: string): Promise<void> | undefined {
    const { score, now } = this.#components
    if (this.#asked.has(peer) || score.isBanned(peer, now())) return undefined
    if (this.#init.includeResting !== true && score.isResting(peer, now())) return undefined
    this.#asked.add(peer)
    return this.#askNow(peer)
  }

  async #askNow (peer: string): Promise<void> {
    const { peers, score, now } = this.#components
    const { kind, digest } = this.#init
    try {
      const holding = await peers.have(peer, kind, digest, { signal: this.#signal })
      if (holding !== undefined) {
        this.#holders.set(peer, holding)
        this.#hasFound = true
      }
    } catch (error) {
      if (error instanceof ShoalError && error.code === 'PEER_BUSY') this.#metBusy = true
      else if (!this.#signal.aborted) score.failed(peer, now())
    }
    this.#changed()
  }

  #changed (): void {
    this.#wake.resolve()
    this.#wake = Promise.withResolvers()
  }
}
