import type { SwarmLink } from '../net/swarm-link.ts'
import { GOSSIP_FAN, GOSSIP_MS, Mesh } from '../swarm/mesh.ts'
import { sampleOf } from '../swarm/sample.ts'
import type { CallWish, Introduction } from './introductions.ts'
import type { Participation } from './participation.ts'

/** How often the mesh is looked at when nothing happens, in milliseconds. */
const UPKEEP_MS = 1_000
/** Agents whose addresses are remembered; of more, the oldest are forgotten. */
const MAX_NAMED = 256
/** Of a blob up to this size its members are told less than it weighs. */
const SMALL_BYTES = 1024 * 1024

export interface MembershipParts {
  readonly limit: number
  /** Agents that could take part: all we are linked to. */
  readonly candidates: () => readonly SwarmLink[]
  /** Those of them that have asked for the blob. */
  readonly interested: () => readonly SwarmLink[]
  readonly linkOf: (peer: string) => SwarmLink | undefined
  readonly isWelcome: (peer: string) => boolean
  readonly isNear: (link: SwarmLink) => boolean
  /** It is in our zone, as both say. */
  readonly isHome: (link: SwarmLink) => boolean
  /** We send it a piece of this blob, or will. */
  readonly isServing: (peer: string) => boolean
  /** Makes a link to an agent that `sender` has named, in its turn. */
  readonly call: (sender: string, named: Introduction, wish: CallWish<SwarmLink>) => void
  /** Tells a member of others. */
  readonly introduce: (peer: string, others: readonly string[]) => void
  /** Takes part with the peer no longer. */
  readonly leave: (peer: string) => void
  readonly now: () => number
}

/** Somebody whom a peer has named. */
export interface NamedMember extends Introduction {
  /** It is in our zone, the peer says. */
  readonly home?: boolean | undefined
}

/** Who takes part with us in a blob that we fetch: carries out what its mesh decides. Owned by the exchange. */
export class Membership {
  readonly #participation: Participation
  readonly #parts: MembershipParts
  readonly #mesh: Mesh
  /** Agents that others have named, and where they may be reached. */
  readonly #named = new Map<string, Introduction & { readonly sender: string }>()
  /** Those of them that are said to be of our zone and were not called yet. */
  readonly #uncalled = new Set<string>()
  readonly #timers: NodeJS.Timeout[] = []
  #isStopped = false

  constructor (participation: Participation, parts: MembershipParts) {
    this.#participation = participation
    this.#parts = parts
    this.#mesh = new Mesh({
      limit: parts.limit,
      random: Math.random,
      isDelivering: peer => participation.session.isAsked(peer) || parts.isServing(peer),
      sought: () => participation.session.fellows,
      isHome: peer => this.#isHome(peer)
    })
  }

  /** Whether more members are looked for. */
  get hasRoom (): boolean {
    return this.#mesh.degree < this.#parts.limit
  }

  /** Whether somebody who was asked to take part has not answered, or others are to be asked in place of who does not. */
  get isAsking (): boolean {
    return this.#mesh.isAsking
  }

  /** Those we are linked to who want the same, and one of us had no room for the other. */
  get aside (): string[] {
    return this.#mesh.aside.filter(peer => this.#parts.linkOf(peer) !== undefined)
  }

  /** Asks those we are linked to, first who has asked us. @returns whom */
  start (): SwarmLink[] {
    const asked: SwarmLink[] = []
    for (const links of [this.#parts.interested(), this.#parts.candidates()]) {
      for (const link of links) this.#knows(link)
      asked.push(...this.#act())
    }
    this.#timers.push(setInterval(() => { this.#act() }, UPKEEP_MS))
    if (this.#participation.size > SMALL_BYTES) {
      for (const delayMs of GOSSIP_MS) this.#timers.push(setTimeout(() => { this.#gossip() }, delayMs))
    }
    return asked
  }

  stop (): void {
    this.#isStopped = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  /** A link has come up, to somebody who may take part. */
  met (link: SwarmLink): void {
    this.#knows(link)
    this.#act()
  }

  /** A peer has named others that take part. */
  told (sender: string, members: readonly NamedMember[]): void {
    for (const member of members) {
      const { peer } = member
      if (!this.#parts.isWelcome(peer)) continue
      this.#participation.session.knows([peer])
      const link = this.#parts.linkOf(peer)
      if (link !== undefined) this.#knows(link)
      else {
        this.#mesh.knows(peer, true, this.#parts.now())
        this.#remember({ ...member, sender })
        if (member.home === true) this.#uncalled.add(peer)
      }
    }
    this.#act()
  }

  /** A peer wants to take part. @returns whether it may */
  admits (link: SwarmLink): boolean {
    const { isAdmitted, leave } = this.#mesh.joined(link.peer, this.#parts.isNear(link), this.#parts.now())
    if (leave !== undefined) this.#parts.leave(leave)
    return isAdmitted
  }

  /** A peer does not take part, or no longer. @param isFull - it would if it had room */
  left (peer: string, { isFull }: { isFull: boolean }): void {
    // who has not the blob tells by itself when it begins to fetch it
    this.#mesh.left(peer, this.#parts.now(), isFull ? {} : { forMs: Infinity })
    this.#act()
  }

  /** The link to a peer has ended; with another, which may be up already, it is as one that was never heard of. */
  gone (peer: string): void {
    this.#mesh.forget(peer)
    const another = this.#parts.linkOf(peer)
    if (another !== undefined) this.#knows(another)
    this.#act()
  }

  /** Where an agent is to be found that others have named. */
  addressesOf (peer: string): readonly string[] {
    return this.#named.get(peer)?.addresses ?? []
  }

  /** A few at a time hear who else takes part: else those who came first would know only each other. */
  #gossip (): void {
    if (this.#mesh.degree < this.#mesh.low) return
    const members = this.#participation.lacking()
    for (const peer of sampleOf(members, GOSSIP_FAN, Math.random)) this.#parts.introduce(peer, members)
  }

  #isHome (peer: string): boolean {
    const link = this.#parts.linkOf(peer)
    return link !== undefined && this.#parts.isHome(link)
  }

  #knows (link: SwarmLink): void {
    this.#mesh.knows(link.peer, this.#parts.isNear(link), this.#parts.now())
  }

  #act (): SwarmLink[] {
    const asked: SwarmLink[] = []
    if (this.#isStopped) return asked
    this.#callHome()
    for (const { type, peer } of this.#mesh.next(this.#parts.now())) {
      if (type === 'leave') this.#parts.leave(peer)
      else asked.push(...this.#ask(peer))
    }
    return asked
  }

  /** Links to those who are said to be of our zone, if there are far members in their places: in the mesh only their own word counts. */
  #callHome (): void {
    let wanted = this.#uncalled.size === 0 ? 0 : this.#mesh.farSurplus
    for (const peer of this.#uncalled) {
      if (wanted-- <= 0) return
      this.#uncalled.delete(peer)
      const named = this.#named.get(peer)
      if (named !== undefined && this.#parts.linkOf(peer) === undefined) this.#call(named, link => { this.met(link) })
    }
  }

  #ask (peer: string): SwarmLink[] {
    const link = this.#parts.linkOf(peer)
    if (link !== undefined) {
      this.#participation.invite(link)
      return [link]
    }
    const named = this.#named.get(peer)
    if (named === undefined) this.#mesh.forget(peer)
    else this.#call(named, link => { this.#participation.invite(link) })
    return []
  }

  #call (named: Introduction & { readonly sender: string }, onLink: (link: SwarmLink) => void): void {
    const { peer, sender } = named
    this.#parts.call(sender, named, {
      isWanted: () => !this.#isStopped && this.#participation.isFetching && this.#parts.isWelcome(peer),
      onLink,
      onFailure: () => { this.#unreachable(peer) }
    })
  }

  /** It was called in vain. Others may name it again, who have not tried. */
  #unreachable (peer: string): void {
    // it may have come to us meanwhile
    if (this.#isStopped || this.#parts.linkOf(peer) !== undefined) return
    this.#participation.session.unreachable(peer)
    this.left(peer, { isFull: true })
  }

  #remember (named: Introduction & { readonly sender: string }): void {
    this.#named.delete(named.peer)
    this.#named.set(named.peer, named)
    const [oldest] = this.#named.keys()
    if (this.#named.size <= MAX_NAMED || oldest === undefined) return
    this.#named.delete(oldest)
    this.#uncalled.delete(oldest)
  }
}
