import type { ContentKind, Holding } from '../net/peers.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import type { Digest } from '../oci/digest.ts'
import type { Succession } from '../swarm/succession.ts'
import { questionOf, type Inquiries, type Question } from './inquiries.ts'

/** What a wish asks of the exchange. */
export interface WishParts {
  readonly inquiries: Inquiries
  /** A new channel of ours on the link. */
  readonly channel: (link: SwarmLink) => number
  /** Those who lack it too and have asked us. */
  readonly others: () => Iterable<SwarmLink>
  readonly isLeech: boolean
  /** It is over; `isRead`: we have read it from the origin, and others wait for it. Resolves when they have been told. */
  readonly ended: (wish: Wish, isRead: boolean) => Promise<void>
}

export interface WishInit {
  readonly kind: ContentKind
  readonly digest: Digest
  /** Told what the others say. */
  readonly succession: Succession
  /** Others may wait for us: we read it from the origin, and may give it. */
  readonly isCandidate: boolean
  /** Something has changed. */
  readonly onFacts: () => void
}

/**
 * Something small that we lack and are about to read from the origin, as long as we lack it: questions to other agents that
 * stand when they are answered, so that whoever has it first tells the others, and nobody asks twice.
 */
export class Wish {
  readonly kind: ContentKind
  readonly digest: Digest
  /** Who has said that it has it, the first first. */
  readonly holders = new Map<string, Holding>()
  readonly #parts: WishParts
  readonly #init: WishInit
  readonly #question: Question
  readonly #channels = new Map<SwarmLink, number>()
  #isReading = false

  constructor (parts: WishParts, init: WishInit) {
    this.kind = init.kind
    this.digest = init.digest
    this.#parts = parts
    this.#init = init
    this.#question = { kind: init.kind, digest: init.digest, stands: { leech: parts.isLeech, readsOrigin: init.isCandidate } }
  }

  /** Asks whether a peer holds it, which hears of us from now on. @throws as `Inquiries.ask` */
  async ask (link: SwarmLink, options: { signal?: AbortSignal } = {}): Promise<Holding | undefined> {
    const { inquiries, channel } = this.#parts
    const isAsked = this.#channels.has(link) || inquiries.isFull(link) || options.signal?.aborted === true
    const ours = channel(link)
    if (isAsked) return inquiries.ask(link, ours, { kind: this.kind, digest: this.digest }, options)
    this.#channels.set(link, ours)
    return inquiries.ask(link, ours, this.#question, options)
  }

  /** We read it from the origin now. */
  reads (): void {
    this.#isReading = this.#init.isCandidate
    this.#tell('take')
  }

  /** The origin did not give it to us. */
  fails (): void {
    this.#tell('release')
    this.#isReading = false
  }

  /** We have it, or want it no longer. @param isRead - we have read it from the origin */
  end ({ isRead }: { isRead: boolean }): void {
    const leave = (): void => {
      for (const [link, channel] of this.#channels) link.send({ type: 'leave', channel })
      this.#channels.clear()
    }
    // who waits for us hears what has come of it before it hears that we are gone
    this.#parts.ended(this, isRead).then(leave, leave)
  }

  /** Another lacks it too. */
  joined (link: SwarmLink, { isCandidate }: { isCandidate: boolean }): void {
    if (isCandidate) this.#init.succession.joined(link.peer)
    if (this.#isReading) this.#say(link, 'take')
    this.#init.onFacts()
  }

  /** Another has it. */
  told (holding: Holding): void {
    this.holders.set(holding.peer, holding)
    this.#init.onFacts()
  }

  took (peer: string): void {
    this.#init.succession.takes(peer, performance.now())
    this.#init.onFacts()
  }

  released (peer: string): void {
    this.#init.succession.fails(peer)
    this.#init.onFacts()
  }

  /** It does not give it to us. */
  denied (peer: string): void {
    this.#init.succession.denies(peer)
    this.#init.onFacts()
  }

  /** Another lacks it no longer, or has given it up. */
  left (link: SwarmLink): void {
    const { peer } = link
    const { succession } = this.#init
    if (succession.awaited !== peer || this.holders.has(peer)) {
      this.#gone(peer)
      return
    }
    // it may have it from somebody whom we do not know
    const { inquiries, channel } = this.#parts
    const gone = (): void => { this.#gone(peer) }
    inquiries.ask(link, channel(link), { kind: this.kind, digest: this.digest }).then(gone, gone)
  }

  /** Nothing more comes over the link. */
  closed (link: SwarmLink): void {
    this.#channels.delete(link)
    this.#gone(link.peer)
  }

  /** Whether the channel of ours on the link is about it. */
  isAbout (link: SwarmLink, channel: number): boolean {
    return this.#channels.get(link) === channel
  }

  #gone (peer: string): void {
    this.#init.succession.gone(peer)
    this.#init.onFacts()
  }

  #tell (type: 'take' | 'release'): void {
    if (!this.#isReading) return
    for (const link of this.#parts.others()) this.#say(link, type)
  }

  /** There is one piece of it, whatever its size. */
  #say (link: SwarmLink, type: 'take' | 'release'): void {
    let channel = this.#channels.get(link)
    if (channel === undefined) {
      channel = this.#parts.channel(link)
      this.#channels.set(link, channel)
      link.send(questionOf(channel, this.#question))
    }
    link.send({ type, channel, pieces: [0] })
  }
}
