import type { ContentKind, ContentRead, Holding, PeerContent, PeerRequestOptions } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { Exchange } from './exchange.ts'

export interface LinkedContentComponents {
  readonly exchange: Pick<Exchange, 'inquire'>
  /** Where the bytes are read, and those without a link are asked. */
  readonly content: PeerContent
}

/** What other agents hold, asked over their links where they have one. */
export class LinkedContent implements PeerContent {
  readonly #exchange: LinkedContentComponents['exchange']
  readonly #content: PeerContent

  constructor ({ exchange, content }: LinkedContentComponents) {
    this.#exchange = exchange
    this.#content = content
  }

  neighbours (): string[] {
    return this.#content.neighbours()
  }

  async have (peer: string, kind: ContentKind, digest: Digest, options: PeerRequestOptions = {}): Promise<Holding | undefined> {
    return (this.#exchange.inquire(peer, kind, digest, options) ?? this.#content.have(peer, kind, digest, options))
  }

  async read (peer: string, kind: ContentKind, digest: Digest, start: number, options: PeerRequestOptions = {}): Promise<ContentRead> {
    return this.#content.read(peer, kind, digest, start, options)
  }
}
