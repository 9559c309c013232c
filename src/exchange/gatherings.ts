import type { SwarmLink } from '../net/swarm-link.ts'
import { MAX_MEMBER_ADDRESSES } from '../net/swarm-limits.ts'
import { whomToName } from '../swarm/naming.ts'
import { isSameZone } from '../swarm/nearness.ts'
import { blobKey } from './blob-key.ts'
import type { ExchangeLinks } from './exchange-links.ts'
import type { Interest } from './interest.ts'
import { Introductions } from './introductions.ts'
import type { Channel } from './link-channels.ts'
import { Membership } from './membership.ts'
import type { Attendee, Participation } from './participation.ts'

/** Agents told of in one message. */
const MAX_MEMBERS_TOLD = 32

export interface GatheringsParts {
  readonly links: Pick<ExchangeLinks, 'open' | 'of' | 'connect' | 'addressesOf'>
  readonly interest: Interest
  /** Members of one blob, at the most. */
  readonly limit: number
  readonly isWelcome: (peer: string) => boolean
  readonly isNear: (link: SwarmLink) => boolean
  /** What we call our zone. */
  readonly zone: string | undefined
  /** We send it a piece, or will. */
  readonly isServing: (attendee: Attendee) => boolean
  /** The peer's channel of a blob. */
  readonly channelOf: (link: SwarmLink, participation: Participation) => Channel | undefined
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/** With whom we fetch what we fetch: the membership of each blob, and what others are told of who else takes part. */
export class Gatherings {
  readonly #parts: GatheringsParts
  readonly #memberships = new Map<Participation, Membership>()
  readonly #introductions: Introductions<SwarmLink>

  constructor (parts: GatheringsParts) {
    this.#parts = parts
    this.#introductions = new Introductions({ connect: async (peer, options) => parts.links.connect(peer, options), now: () => performance.now() })
  }

  /** Who takes part in the blob, while we fetch it. */
  of (participation: Participation | undefined): Membership | undefined {
    return participation === undefined ? undefined : this.#memberships.get(participation)
  }

  /** We fetch it from now on: nobody is asked yet. */
  begin (participation: Participation): void {
    const { links, interest, limit, isWelcome, isNear, zone, isServing, now } = this.#parts
    this.#memberships.set(participation, new Membership(participation, {
      limit,
      candidates: () => links.open().filter(({ peer }) => isWelcome(peer)),
      interested: () => interest.in(blobKey(participation.kind, participation.digest)),
      linkOf: peer => links.of(peer),
      isWelcome,
      isNear,
      isHome: link => isSameZone(zone, link.hello?.zone),
      isServing: peer => {
        const attendee = participation.attendees.get(peer)
        return attendee !== undefined && isServing(attendee)
      },
      call: (sender, named, wish) => { this.#introductions.add(sender, named, wish) },
      introduce: (peer, others) => { this.#tellOthers(participation, peer, others) },
      leave: peer => { this.#leave(participation, peer) },
      now
    }))
  }

  /** We fetch it no longer. */
  end (participation: Participation): void {
    this.#memberships.get(participation)?.stop()
    this.#memberships.delete(participation)
  }

  /** Calls nobody any more that others have named. */
  stop (): void {
    this.#introductions.stop()
  }

  /** A link has come up, to somebody who may take part in all of them. */
  met (link: SwarmLink): void {
    for (const membership of this.#memberships.values()) membership.met(link)
  }

  /**
   * Tells a peer who else there is, of its own zone also those for whom we have no room, or they for us.
   * @param of - the peer's channel
   */
  introduce (link: SwarmLink, of: number, others: readonly string[], participation?: Participation): void {
    const { links } = this.#parts
    const isHome = (peer: string): boolean => isSameZone(link.hello?.zone, links.of(peer)?.hello?.zone)
    const named = whomToName({
      hearer: link.peer,
      foremost: participation?.session.foremost ?? [],
      others,
      aside: this.of(participation)?.aside,
      isHome,
      most: MAX_MEMBERS_TOLD,
      random: Math.random
    })
    const members = named.map(peer => ({ peer, addresses: this.#addressesOf(peer, participation).slice(0, MAX_MEMBER_ADDRESSES), home: isHome(peer) }))
    if (members.length > 0) link.send({ type: 'members', of, members })
  }

  /** We have no room for it any more: it is told of others, and we remember that it wants the blob. */
  #leave (participation: Participation, peer: string): void {
    this.#tellOthers(participation, peer, participation.lacking())
    const link = participation.attendees.get(peer)?.link
    participation.drop(peer)
    const channel = link === undefined ? undefined : this.#parts.channelOf(link, participation)
    if (link === undefined || channel === undefined) return
    channel.participation = undefined
    this.#parts.interest.note(link, channel)
  }

  #tellOthers (participation: Participation, peer: string, others: readonly string[]): void {
    const link = participation.attendees.get(peer)?.link
    const channel = link === undefined ? undefined : this.#parts.channelOf(link, participation)
    if (link !== undefined && channel !== undefined) this.introduce(link, channel.number, others, participation)
  }

  /** Of one that is not linked to us, as it was named to us. */
  #addressesOf (peer: string, participation: Participation | undefined): readonly string[] {
    const addresses = this.#parts.links.addressesOf(peer)
    return addresses.length > 0 ? addresses : this.of(participation)?.addressesOf(peer) ?? []
  }
}
