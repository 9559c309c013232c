import type { SwarmLink } from '../net/swarm-link.ts'
import type { Participation } from './participation.ts'

/** What the peer says on one of its channels. What its join said is not kept: there may be thousands of them. */
export interface Channel {
  readonly number: number
  readonly key: string
  participation: Participation | undefined
}

/** One link's channels: what the peer says of which blob, and what we say. */
export class LinkChannels {
  readonly link: SwarmLink
  readonly theirs = new Map<number, Channel>()
  /** Blobs of which the peer has a channel. */
  readonly joined = new Set<string>()
  readonly ours = new Map<number, Participation>()
  /** Joins for which the store is looked into. */
  opening = 0
  #last = 0

  constructor (link: SwarmLink) {
    this.link = link
  }

  /** The number of a channel that belongs to no blob we take part in. */
  next (): number {
    return ++this.#last
  }

  open (participation: Participation): number {
    const channel = this.next()
    this.ours.set(channel, participation)
    return channel
  }

  /** Those that either side has a channel of. */
  get participations (): Set<Participation> {
    const all = new Set(this.ours.values())
    for (const { participation } of this.theirs.values()) if (participation !== undefined) all.add(participation)
    return all
  }

  /** The peer's channel of a blob. */
  of (participation: Participation): Channel | undefined {
    for (const channel of this.theirs.values()) if (channel.participation === participation) return channel
    return undefined
  }
}
