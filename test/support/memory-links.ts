import type { ExchangeLinks } from '../../src/exchange/exchange-links.ts'
import type { IntakePace } from '../../src/net/pace.ts'
import { PeerError } from '../../src/net/peer-error.ts'
import { SwarmLink, type LinkHandlers } from '../../src/net/swarm-link.ts'
import type { HelloMessage } from '../../src/net/swarm-message.ts'
import { MemoryTransport } from './memory-transport.ts'

const NOBODY: LinkHandlers = { onOpen () {}, onMessage () {}, onBody () {}, onClosed () {} }

/** The agents of one process that can be linked to each other. */
export class LinkNetwork {
  readonly #agents = new Map<string, MemoryLinks>()

  add (links: MemoryLinks): void {
    this.#agents.set(links.peer, links)
  }

  of (peer: string): MemoryLinks | undefined {
    return this.#agents.get(peer)
  }
}

/** Links over lanes in memory. */
export class MemoryLinks implements ExchangeLinks {
  readonly peer: string
  /** Our ends of the lanes, by peer. */
  readonly transports = new Map<string, MemoryTransport>()
  readonly #network: LinkNetwork
  readonly #intake: IntakePace | undefined
  readonly #links = new Map<string, SwarmLink>()
  readonly #opening = new Map<string, PromiseWithResolvers<SwarmLink>>()
  #handlers = NOBODY
  #hello: Omit<HelloMessage, 'type'> = { leech: false }

  constructor (network: LinkNetwork, peer: string, intake?: IntakePace) {
    this.#network = network
    this.#intake = intake
    this.peer = peer
    network.add(this)
  }

  use (handlers: LinkHandlers, hello: Omit<HelloMessage, 'type'>): void {
    this.#handlers = handlers
    this.#hello = hello
  }

  open (): SwarmLink[] {
    return [...this.#links.values()].filter(link => link.isOpen && link.hello !== undefined)
  }

  of (peer: string): SwarmLink | undefined {
    const link = this.#links.get(peer)
    return link?.isOpen === true && link.hello !== undefined ? link : undefined
  }

  addressesOf (peer: string): readonly string[] {
    return [`/memory/${peer}`]
  }

  async connect (peer: string): Promise<SwarmLink> {
    const known = this.of(peer)
    if (known !== undefined) return known
    const other = this.#network.of(peer)
    if (other === undefined) throw new PeerError('PEER_UNREACHABLE', peer, 'is not there')
    const opening = this.#opening.get(peer) ?? Promise.withResolvers<SwarmLink>()
    if (!this.#opening.has(peer)) {
      this.#opening.set(peer, opening)
      // as with real ones only one of two that call each other at once stays
      if (other.#opening.has(this.peer)) return opening.promise
      const [ours, theirs] = MemoryTransport.pair()
      other.take(theirs, this.peer, false)
      this.take(ours, peer, true)
    }
    return opening.promise
  }

  /** A lane to a peer has come up. */
  take (transport: MemoryTransport, peer: string, isOutbound: boolean): void {
    this.transports.set(peer, transport)
    const link = new SwarmLink(transport, {
      onOpen: link => {
        this.#handlers.onOpen(link)
        this.#opening.get(peer)?.resolve(link)
        this.#opening.delete(peer)
      },
      onMessage: (...told) => { this.#handlers.onMessage(...told) },
      onBody: (...told) => { this.#handlers.onBody(...told) },
      onClosed: (link, error) => {
        if (this.#links.get(peer) === link) this.#links.delete(peer)
        this.#handlers.onClosed(link, error)
      },
      isUrgent: link => this.#handlers.isUrgent?.(link) === true
    }, { peer, isOutbound, hello: this.#hello, intake: this.#intake })
    this.#links.set(peer, link)
  }

  stop (): void {
    for (const link of this.#links.values()) link.abort(new Error('over'))
  }
}
