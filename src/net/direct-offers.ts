import { createHash, randomBytes } from 'node:crypto'
import { DirectLaneError } from './direct-error.ts'
import { TOKEN_BYTES } from './direct-tls.ts'
import type { FrameTransport } from './frame-transport.ts'

interface Offer {
  readonly peer: string
  readonly accepted: PromiseWithResolvers<FrameTransport>
  readonly timer: NodeJS.Timeout
}

/** Whoever showed a token, and what it is to be given. */
export interface TakenOffer {
  readonly peer: string
  resolve (transport: FrameTransport): void
}

/**
 * The offers that nobody has come for yet, by the hash of their token: the token itself is not kept, and how long a
 * look-up takes tells nothing about it. One a peer; a newer one takes the place of the older.
 */
export class DirectOffers {
  readonly #maxOffers: number
  readonly #timeoutMs: number
  readonly #offers = new Map<string, Offer>()
  /** Peer to hash. */
  readonly #peers = new Map<string, string>()

  constructor (maxOffers: number, timeoutMs: number) {
    this.#maxOffers = maxOffers
    this.#timeoutMs = timeoutMs
  }

  get size (): number {
    return this.#offers.size
  }

  /** @returns undefined when there are too many. `accepted` rejects with LANE_EXPIRED. */
  make (peer: string): { readonly token: Uint8Array, readonly accepted: Promise<FrameTransport> } | undefined {
    this.#withdraw(peer, 'a newer offer has taken its place')
    if (this.#offers.size >= this.#maxOffers) return undefined
    const token = randomBytes(TOKEN_BYTES)
    const key = keyOf(token)
    const accepted = Promise.withResolvers<FrameTransport>()
    // Not every owner waits for it.
    accepted.promise.catch(() => {})
    const timer = setTimeout(() => { this.#withdraw(peer, `nobody came for it within ${this.#timeoutMs} ms`) }, this.#timeoutMs)
    timer.unref()
    this.#offers.set(key, { peer, accepted, timer })
    this.#peers.set(peer, key)
    return { token, accepted: accepted.promise }
  }

  /** Uses an offer up. @returns undefined for a token that is of none */
  take (token: Uint8Array): TakenOffer | undefined {
    const key = keyOf(token)
    const offer = this.#offers.get(key)
    if (offer === undefined) return undefined
    this.#remove(key, offer)
    return { peer: offer.peer, resolve: offer.accepted.resolve }
  }

  clear (): void {
    for (const peer of [...this.#peers.keys()]) this.#withdraw(peer, 'the listener was closed')
  }

  #withdraw (peer: string, reason: string): void {
    const key = this.#peers.get(peer)
    const offer = key === undefined ? undefined : this.#offers.get(key)
    if (key === undefined || offer === undefined) return
    this.#remove(key, offer)
    offer.accepted.reject(new DirectLaneError('LANE_EXPIRED', reason))
  }

  #remove (key: string, { peer, timer }: Offer): void {
    clearTimeout(timer)
    this.#offers.delete(key)
    this.#peers.delete(peer)
  }
}

function keyOf (token: Uint8Array): string {
  return createHash('sha256').update(token).digest('base64')
}
