import { PeerError } from '../../src/net/peer-error.ts'
import type { ContentKind, ContentRead, Holding, PeerContent, PeerRequestOptions } from '../../src/net/peers.ts'
import type { Digest } from '../../src/oci/digest.ts'
import type { Gate } from './gate.ts'
import type { SwarmAgent } from './swarm-agents.ts'

/** How others are read from. */
export interface LinkedPeersInit {
  /** Those that send other bytes than they have. */
  readonly liars?: ReadonlySet<string>
  /** Those whose bytes wait here. */
  readonly gates?: ReadonlyMap<string, Gate>
}

/** What the agents of one process hold, as one of them sees those that it is linked to. */
export class LinkedPeers implements PeerContent {
  readonly #agent: SwarmAgent
  readonly #others: ReadonlyMap<string, SwarmAgent>
  readonly #init: LinkedPeersInit

  constructor (agent: SwarmAgent, others: readonly SwarmAgent[], init: LinkedPeersInit = {}) {
    this.#agent = agent
    this.#others = new Map(others.map(other => [other.peer, other]))
    this.#init = init
  }

  neighbours (): string[] {
    return this.#agent.links.open().map(({ peer }) => peer)
  }

  async have (peer: string, kind: ContentKind, digest: Digest, options: PeerRequestOptions = {}): Promise<Holding | undefined> {
    return this.#agent.exchange.inquire(peer, kind, digest, options)
  }

  async read (peer: string, kind: ContentKind, digest: Digest, start: number, { signal }: PeerRequestOptions = {}): Promise<ContentRead> {
    const { liars, gates } = this.#init
    if (this.#agent.links.of(peer) === undefined) throw new PeerError('PEER_GONE', peer, 'has gone')
    const content = await this.#others.get(peer)?.share.open(kind, digest)
    if (content === undefined) throw new PeerError('PEER_MISSING', peer, 'does not have it')
    await gates?.get(peer)?.pass(signal)
    const bytes = new Uint8Array(content.size)
    await content.read(bytes, 0)
    await content.close()
    if (liars?.has(peer) === true) bytes[0] = 0
    return { peer, size: content.size, restricted: content.restricted, body: bodyOf(bytes.subarray(start)) }
  }
}

async function * bodyOf (bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes
}
