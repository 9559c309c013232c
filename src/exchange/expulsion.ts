import type { EventSink } from '../events.ts'
import type { SwarmLink } from '../net/swarm-link.ts'
import type { PeerScore } from '../swarm/peer-score.ts'

export interface ExpulsionComponents {
  readonly links: { of (peer: string): SwarmLink | undefined }
  readonly score: PeerScore
  readonly events: EventSink
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** What becomes of peers that broke the protocol or lied: whoever does so once does it again. */
export class Expulsion {
  readonly #components: ExpulsionComponents

  constructor (components: ExpulsionComponents) {
    this.#components = components
  }

  /** Bans a peer, and tells of it once. Its link stays. */
  ban (peer: string, reason: string): void {
    const { score, events, now } = this.#components
    if (score.isBanned(peer, now())) return
    const { untilMs } = score.ban(peer, reason, now())
    events.emit({ type: 'peer:banned', peer, reason, untilMs })
  }

  /** Bans a peer and ends its link. @param link - by which it did so; @default the one there is */
  expel (peer: string, reason: string, link = this.#components.links.of(peer)): void {
    this.ban(peer, reason)
    link?.abort(new Error(reason))
  }
}
