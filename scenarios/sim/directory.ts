import { whomToName } from '../../src/swarm/naming.ts'
import { sampleOf } from '../../src/swarm/sample.ts'
import { randomOf } from '../random.ts'
import type { LayerSpec } from '../scenario.ts'
import type { SimHost } from './host.ts'
import { SimPart, type JoinFacts } from './part.ts'
import { isHome, type World } from './world.ts'

/** TCP, noise, yamux, and the stream of the swarm: so many round trips, and the work at both ends in milliseconds. */
const CONNECT_ROUND_TRIPS = 5
const CONNECT_WORK_MS = 8
/** Who does not answer is given up after so long, in milliseconds. */
const CONNECT_TIMEOUT_MS = 5_000
/** Calls of one agent under way at a time: `src/exchange/introductions`. */
const MAX_CALLS = 8
const MAX_WAITING = 128
/** Agents that take part in a stored blob with its holder: `src/exchange/exchange`. */
const MAX_ATTENDEES = 256
/** A walk of the DHT ends then: `src/pull/member-search`, in milliseconds. */
const WALK_MS = 3_000
/** Providers that an agent of the DHT names. */
const MAX_PROVIDERS = 20
/** From a commit until it is announced, as agents wait while others need them, in milliseconds. */
const ANNOUNCE_MS = 10_000
/** Agents told of in one message, what each takes in it with its addresses, and what a message takes beside what it lists. */
const MAX_MEMBERS_TOLD = 32
const NAME_BYTES = 70
const HEAD_BYTES = 8

/** Who knows whom, and how they find each other: links, introductions, the DHT. What `src/exchange/exchange` and `src/net` do. */
export class Directory {
  readonly #world: () => World
  readonly #providers = new Map<string, SimHost[]>()
  readonly #waiting = new Map<SimHost, Array<() => void>>()

  constructor (world: () => World) {
    this.#world = world
  }

  /** Links before the run: each agent has so many of them at the least, to random others. */
  link (hosts: readonly SimHost[], neighbours: number, seed: number): void {
    const random = randomOf(seed, 'links')
    for (const host of hosts) {
      for (let tries = 0; host.links.size < Math.min(neighbours, hosts.length - 1) && tries < 20 * neighbours; tries++) {
        const other = hosts[Math.floor(random() * hosts.length)] as SimHost
        if (other === host || other.links.size >= 2 * neighbours) continue
        host.link(other)
      }
    }
    for (const host of hosts) for (const layer of host.stored) this.#provided(host, layer)
  }

  /** The layer is stored whole, and will be announced. */
  provides (host: SimHost, layer: LayerSpec): void {
    const { life } = host
    this.#world().clock.after(ANNOUNCE_MS, () => { if (host.life === life) this.#provided(host, layer.name) })
  }

  /** Whether the DHT could name anybody to whom there is no link. */
  mayKnowMore (host: SimHost): boolean {
    return host.links.size < this.#world().hosts.size - 1
  }

  /** Walks the DHT. */
  find (host: SimHost, { name }: LayerSpec, found: (providers: readonly SimHost[]) => void): void {
    const { clock, wire, scenario, plan, random } = this.#world()
    const { dhtHops, hopMs } = scenario.discovery
    const tookMs = dhtHops * (2 * wire.latencyMs(host.group, host.group) + hopMs)
    const lost = plan.dhtLosses.some(({ fromMs, toMs, share }) => clock.nowMs >= fromMs && clock.nowMs < toMs && random() < share)
    const { life } = host
    clock.after(lost ? WALK_MS : Math.min(tookMs, WALK_MS), () => {
      if (host.life !== life) return
      const providers = lost ? [] : (this.#providers.get(name) ?? []).filter(other => other !== host && !wire.isCut(host.group.name, other.group.name))
      found(sampleOf(providers, MAX_PROVIDERS, random))
    })
  }

  /** Opens a link. @param onEnd - told whether it is open */
  connect (host: SimHost, other: SimHost, onEnd: (isOpen: boolean) => void): void {
    if (host.links.has(other)) {
      onEnd(true)
      return
    }
    const known = host.calling.get(other)
    if (known !== undefined) {
      known.push(onEnd)
      return
    }
    const waiting = this.#waiting.get(host) ?? []
    this.#waiting.set(host, waiting)
    if (host.calling.size < MAX_CALLS) this.#call(host, other, onEnd)
    else if (waiting.length < MAX_WAITING) waiting.push(() => { this.connect(host, other, onEnd) })
    else onEnd(false)
  }

  /** Another wants to take part in a blob, as a message says. */
  joins (host: SimHost, other: SimHost, layer: LayerSpec, facts: JoinFacts): void {
    const part = host.parts.get(layer.name) ?? this.#openSeed(host, layer)
    if (part === undefined || host.banned.has(other) || (host.group.isLeech && !part.isFetching)) {
      this.#refuse(host, other, layer, { isFull: false, others: this.#note(host, other, layer) })
      return
    }
    const others = part.lacking()
    const isAdmitted = part.membership?.admits(other) ?? (part.session.members.size < MAX_ATTENDEES || part.told.has(other))
    if (!isAdmitted) {
      part.forget(other, { isFetching: true })
      this.#note(host, other, layer)
      this.#refuse(host, other, layer, { isFull: true, others })
      return
    }
    host.interest.get(layer.name)?.delete(other)
    part.joined(other, facts)
    if (!facts.held.isFull) this.introduce(host, other, layer, others)
  }

  /** Tells another who else takes part. */
  introduce (host: SimHost, to: SimHost, { name }: LayerSpec, others: readonly SimHost[]): void {
    const { hosts, wire, random } = this.#world()
    const part = host.parts.get(name)
    const told = whomToName({
      hearer: to,
      foremost: (part?.session.foremost ?? []).flatMap(one => hosts.get(one) ?? []),
      others,
      // in the simulation's inner loop: without a zone nobody is of it
      aside: to.group.zone === undefined ? undefined : part?.membership?.aside,
      isHome: one => isHome(one, to),
      most: MAX_MEMBERS_TOLD,
      random
    })
    if (told.length > 0) wire.tell(host, to, HEAD_BYTES + NAME_BYTES * told.length, () => { to.parts.get(name)?.membership?.told(told) })
  }

  /** An agent is gone, as those linked to it see after a while. */
  bury (dead: SimHost, host: SimHost): void {
    host.links.delete(dead)
    dead.links.delete(host)
    for (const waiting of host.interest.values()) waiting.delete(dead)
    for (const part of host.parts.values()) {
      part.forget(dead)
      part.membership?.gone(dead)
    }
  }

  #call (host: SimHost, other: SimHost, onEnd: (isOpen: boolean) => void): void {
    const { clock, wire } = this.#world()
    host.calling.set(other, [onEnd])
    const isThere = other.isActive && !wire.isCut(host.group.name, other.group.name)
    const roundTripMs = 2 * wire.latencyMs(host.group, other.group)
    const { life } = host
    // a dead process refuses at once; who stalls or is cut off says nothing
    const tookMs = isThere ? CONNECT_ROUND_TRIPS * roundTripMs + CONNECT_WORK_MS : other.isUp ? CONNECT_TIMEOUT_MS : roundTripMs
    clock.after(tookMs, () => {
      if (host.life !== life) return
      const isOpen = isThere && other.isUp && host.isUp
      const listeners = host.calling.get(other) ?? []
      host.calling.delete(other)
      if (isOpen) this.#opened(host, other)
      for (const tell of listeners) tell(isOpen)
      const waiting = this.#waiting.get(host) ?? []
      // one that is linked by now, or called already, takes no place
      while (host.calling.size < MAX_CALLS && waiting.length > 0) waiting.shift()?.()
    })
  }

  #opened (host: SimHost, other: SimHost): void {
    if (host.links.has(other)) return
    host.link(other)
    for (const part of host.parts.values()) part.membership?.met(other)
    for (const part of other.parts.values()) part.membership?.met(host)
  }

  /** A stored blob that somebody asks for. */
  #openSeed (host: SimHost, layer: LayerSpec): SimPart | undefined {
    if (!host.stored.has(layer.name)) return undefined
    const part = new SimPart(this.#world(), host, { layer, isStored: true })
    host.parts.set(layer.name, part)
    return part
  }

  /** Remembers that another wants what is not here. @returns who wants it too */
  #note (host: SimHost, other: SimHost, { name }: LayerSpec): SimHost[] {
    const waiting = host.interest.get(name) ?? new Map<SimHost, number>()
    host.interest.set(name, waiting)
    const others = [...waiting.keys()].filter(one => one !== other)
    waiting.set(other, this.#world().clock.nowMs)
    return others
  }

  #refuse (host: SimHost, other: SimHost, layer: LayerSpec, { isFull, others }: { readonly isFull: boolean, readonly others: readonly SimHost[] }): void {
    this.#world().wire.tell(host, other, HEAD_BYTES, () => {
      const part = other.parts.get(layer.name)
      part?.told.delete(host)
      part?.membership?.left(host, { isFull })
    })
    this.introduce(host, other, layer, others)
  }

  #provided (host: SimHost, layer: string): void {
    const providers = this.#providers.get(layer) ?? []
    providers.push(host)
    this.#providers.set(layer, providers)
  }
}
