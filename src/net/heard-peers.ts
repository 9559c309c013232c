import { RecentMap } from '../recent.ts'
import { Backoff } from './backoff.ts'

const DIALS_AT_A_TIME = 4
const MAX_WAITING = 256
const MAX_REMEMBERED = 1_024
const DEFAULT_ENOUGH_NEIGHBOURS = 64
const MIN_DELAY_MS = 1_000
const MAX_DELAY_MS = 60_000

export interface HeardPeersComponents {
  /** How many peers we are connected to. */
  countNeighbours (): number
  isConnected (peer: string): boolean
  /** Rejects when the peer cannot be reached. */
  dial (peer: string): Promise<void>
  readonly now: () => number
}

export interface HeardPeersInit {
  /** With so many neighbours nobody is dialled only because they were heard. @default 64 */
  readonly enoughNeighbours?: number
}

interface Attempts {
  readonly backoff: Backoff
  notBefore: number
}

/**
 * Dials the peers that mDNS hears: libp2p only notes them. They are heard again every few seconds, so a peer that cannot
 * be reached is left alone for longer and longer, and nothing is queued twice.
 */
export class HeardPeers {
  readonly #components: HeardPeersComponents
  readonly #enoughNeighbours: number
  readonly #attempts = new RecentMap<string, Attempts>(MAX_REMEMBERED)
  readonly #waiting = new Set<string>()
  #dialling = 0
  #isStopped = false

  constructor (components: HeardPeersComponents, init: HeardPeersInit = {}) {
    this.#components = components
    this.#enoughNeighbours = init.enoughNeighbours ?? DEFAULT_ENOUGH_NEIGHBOURS
  }

  heard (peer: string): void {
    if (this.#waiting.size >= MAX_WAITING || this.#components.isConnected(peer)) return
    const attempts = this.#attempts.get(peer)
    if (attempts !== undefined && attempts.notBefore > this.#components.now()) return
    this.#waiting.add(peer)
    this.#dialNext()
  }

  stop (): void {
    this.#isStopped = true
    this.#waiting.clear()
  }

  #dialNext (): void {
    while (this.#dialling < DIALS_AT_A_TIME && !this.#isStopped) {
      const peer = this.#waiting.values().next().value
      if (peer === undefined) return
      this.#waiting.delete(peer)
      if (this.#components.isConnected(peer) || this.#components.countNeighbours() >= this.#enoughNeighbours) continue
      this.#dialling++
      this.#postpone(peer)
      this.#components.dial(peer)
        .then(() => { this.#attempts.delete(peer) }, () => {})
        .finally(() => { this.#dialling--; this.#dialNext() })
    }
  }

  #postpone (peer: string): void {
    const attempts = this.#attempts.get(peer) ?? { backoff: new Backoff({ minMs: MIN_DELAY_MS, maxMs: MAX_DELAY_MS }), notBefore: 0 }
    attempts.notBefore = this.#components.now() + attempts.backoff.next()
    this.#attempts.set(peer, attempts)
  }
}
