import { RecentMap } from '../recent.ts'

/** Peers whose addresses are remembered; the least recently heard of goes first. */
const MAX_PEERS = 4_096
const MAX_ADDRESSES = 4

/** Where peers say that they listen: what we tell others who look for them. */
export class PeerAddresses {
  readonly #addresses = new RecentMap<string, readonly string[]>(MAX_PEERS)

  /** Multiaddrs in text form. */
  of (peer: string): readonly string[] {
    return this.#addresses.get(peer) ?? []
  }

  set (peer: string, addresses: readonly string[]): void {
    this.#addresses.set(peer, addresses.slice(0, MAX_ADDRESSES))
  }
}
