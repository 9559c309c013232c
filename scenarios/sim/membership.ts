import { GOSSIP_FAN, GOSSIP_MS, Mesh } from '../../src/swarm/mesh.ts'
import { sampleOf } from '../../src/swarm/sample.ts'
import { Unanswered } from '../../src/swarm/unanswered.ts'
import type { SimHost } from './host.ts'
import type { SimPart } from './part.ts'
import { isHome, type World } from './world.ts'

/** As the agent has them: `src/exchange/membership`, `src/pull/download` and `src/pull/member-search`, in milliseconds. */
const UPKEEP_MS = 1_000
/** After a fact the mesh is asked so soon, for all facts of the moment together; the agent asks at once. */
const ACT_MS = 0.5
const GRACE_MS = 100
const HEAD_START_MS = 20
const UNHURRIED_MS = 3_000
const FIRST_PAUSE_MS = 1_000
const MAX_PAUSE_MS = 30_000
const ENOUGH_MEMBERS = 8
/** Of a blob up to this size its members are told less than it weighs. */
const SMALL_BYTES = 1024 * 1024

/** Who takes part in a blob that a host fetches: the real mesh, and the search for members. */
export class SimMembership {
  readonly mesh: Mesh
  /** When somebody last answered, or we began. */
  searchedAtMs: number
  readonly #world: World
  readonly #part: SimPart
  readonly #onGrace: () => void
  /** Named ones of our zone that were not called yet. */
  readonly #uncalled = new Set<SimHost>()
  /** Those that were asked first. */
  readonly #unanswered = new Unanswered(GRACE_MS)
  #hasGraceEnded = false
  /** The DHT is to be asked after a while, as there are members. */
  #isUnhurried = false
  #isWalking = false
  #isActDue = false
  #isStopped = false

  /** @param onGrace - those asked have answered, or have had the time to: called once */
  constructor (world: World, part: SimPart, onGrace: () => void) {
    this.#world = world
    this.#part = part
    this.#onGrace = onGrace
    this.searchedAtMs = world.clock.nowMs
    this.mesh = new Mesh({
      limit: world.scenario.agent.maxMembers,
      random: world.random,
      isDelivering: name => part.session.isAsked(name) || this.#isServing(name),
      sought: () => part.session.fellows,
      isHome: name => isHome(part.host, this.#host(name)) && part.host.links.has(this.#host(name))
    })
  }

  /** Those it is linked to who want the same, and one of both had no room for the other. */
  get aside (): SimHost[] {
    return this.mesh.aside.map(name => this.#host(name)).filter(other => this.#part.host.links.has(other))
  }

  start (): void {
    const { clock } = this.#world
    const { host, layer } = this.#part
    const interest = host.interest.get(layer.name)
    for (const others of [interest?.keys() ?? [], host.links]) {
      for (const other of others) this.#knows(other)
      this.act()
    }
    for (const other of this.#part.told) {
      const sinceMs = interest?.get(other)
      this.#unanswered.asked(other.name, sinceMs === undefined ? undefined : clock.nowMs - sinceMs)
    }
    this.#upkeep()
    if (layer.bytes > SMALL_BYTES) for (const ms of GOSSIP_MS) clock.after(ms, () => { this.#gossip() })
    if (this.#unanswered.isEmpty) this.#grace()
    else this.#wait(GRACE_MS)
    clock.after(HEAD_START_MS, () => { this.#walkOn(FIRST_PAUSE_MS, { isFirst: true }) })
  }

  stop (): void {
    this.#isStopped = true
  }

  /** A link has come up, to somebody who may take part. */
  met (other: SimHost): void {
    this.#knows(other)
    this.#actSoon()
  }

  /** Others that take part were named. */
  told (others: readonly SimHost[]): void {
    const { host, session } = this.#part
    const names: string[] = []
    for (const other of others) {
      if (other === host || host.banned.has(other)) continue
      names.push(other.name)
      if (isHome(host, other) && !host.links.has(other)) this.#uncalled.add(other)
      this.#knows(other)
    }
    session.knows(names)
    this.#actSoon()
  }

  /** Another wants to take part. @returns whether it may */
  admits (other: SimHost): boolean {
    const { isAdmitted, leave } = this.mesh.joined(other.name, this.#isNear(other), this.#world.clock.nowMs)
    if (leave !== undefined) this.#leave(leave)
    return isAdmitted
  }

  /** Another does not take part, or no longer. @param isFull - it would if it had room */
  left (other: SimHost, { isFull }: { readonly isFull: boolean }): void {
    this.mesh.left(other.name, this.#world.clock.nowMs, isFull ? {} : { forMs: Infinity })
    this.answered(other)
    this.#actSoon()
  }

  /** There is no link to it any more. */
  gone (other: SimHost): void {
    this.mesh.forget(other.name)
    this.answered(other)
    this.#actSoon()
  }

  answered (other: SimHost): void {
    this.searchedAtMs = this.#world.clock.nowMs
    if (this.#unanswered.answered(other.name)) this.#grace()
  }

  /** Carries out what the mesh decides. */
  act (): void {
    if (this.#isStopped || !this.#part.host.isActive) return
    this.#callHome()
    for (const { type, peer } of this.mesh.next(this.#world.clock.nowMs)) {
      if (type === 'leave') this.#leave(peer)
      else this.#ask(this.#host(peer))
    }
  }

  /** Links to named ones of our zone, if there are far members in their places. */
  #callHome (): void {
    const { host } = this.#part
    let wanted = this.#uncalled.size === 0 ? 0 : this.mesh.farSurplus
    for (const other of this.#uncalled) {
      if (wanted-- <= 0) return
      this.#uncalled.delete(other)
      this.#world.directory.connect(host, other, () => {})
    }
  }

  /** What many say in one moment is thought about once. */
  #actSoon (): void {
    if (this.#isActDue) return
    this.#isActDue = true
    this.#world.clock.after(ACT_MS, () => {
      this.#isActDue = false
      this.act()
    })
  }

  #ask (other: SimHost): void {
    const { host } = this.#part
    if (host.links.has(other)) this.#part.join(other)
    else {
      this.#world.directory.connect(host, other, isOpen => {
        if (this.#isStopped) return
        if (!isOpen && !host.links.has(other)) {
          this.#part.session.unreachable(other.name)
          this.left(other, { isFull: true })
        } else if (isOpen && !host.banned.has(other)) this.#part.join(other)
      })
    }
  }

  #leave (name: string): void {
    const other = this.#host(name)
    const { host, layer } = this.#part
    this.#world.directory.introduce(host, other, layer, this.#part.lacking())
    this.#part.forget(other, { isFetching: true })
    this.#world.wire.tell(host, other, 8, () => {
      const part = other.parts.get(layer.name)
      part?.forget(host, { isFetching: true })
      part?.membership?.left(host, { isFull: true })
    })
  }

  /** A few at a time hear who else takes part: else those who came first would know only each other. */
  #gossip (): void {
    if (this.#isStopped || !this.#part.host.isActive || this.mesh.degree < this.mesh.low) return
    const members = this.#part.lacking()
    const { host, layer } = this.#part
    for (const other of sampleOf(members, GOSSIP_FAN, this.#world.random)) this.#world.directory.introduce(host, other, layer, members)
  }

  #upkeep (): void {
    if (this.#isStopped) return
    this.act()
    this.#world.clock.after(UPKEEP_MS, () => { this.#upkeep() })
  }

  /** @param waitedMs - so far */
  #wait (ms: number, waitedMs = 0): void {
    this.#world.clock.after(ms, () => {
      const leftMs = this.#unanswered.leftMs(waitedMs + ms)
      if (leftMs > 0) this.#wait(leftMs, waitedMs + ms)
      else this.#grace()
    })
  }

  #grace (): void {
    if (this.#hasGraceEnded || this.#isStopped) return
    this.#hasGraceEnded = true
    this.#onGrace()
  }

  /** Nobody known helps: the DHT is asked now, if it was to be asked later. @returns whether its answer is still to come */
  hurry (): boolean {
    if (this.#isUnhurried) this.#walkLater(FIRST_PAUSE_MS)
    return this.#isWalking
  }

  /** Once, whoever calls first. */
  #walkLater (pauseMs: number): void {
    if (!this.#isUnhurried) return
    this.#isUnhurried = false
    this.#walkOn(pauseMs)
  }

  /** Asks the DHT again and again while there are few members, and it may name somebody unknown. */
  #walkOn (pauseMs: number, { isFirst = false }: { readonly isFirst?: boolean } = {}): void {
    if (this.#isStopped) return
    const { clock, directory } = this.#world
    const { host, layer, session } = this.#part
    if (isFirst && session.members.size > 0) {
      this.#isUnhurried = true
      clock.after(UNHURRIED_MS, () => { this.#walkLater(pauseMs) })
      return
    }
    const again = (): void => { clock.after(pauseMs, () => { this.#walkOn(Math.min(MAX_PAUSE_MS, 2 * pauseMs)) }) }
    if (session.members.size >= ENOUGH_MEMBERS || !host.isActive || !directory.mayKnowMore(host)) {
      again()
      return
    }
    this.#isWalking = true
    directory.find(host, layer, providers => {
      this.#isWalking = false
      if (this.#isStopped) return
      this.searchedAtMs = clock.nowMs
      for (const other of providers) if (!session.members.has(other.name) && !host.banned.has(other)) this.#meet(other)
      again()
    })
  }

  #meet (other: SimHost): void {
    this.#world.directory.connect(this.#part.host, other, isOpen => { if (isOpen && !this.#isStopped) this.met(other) })
  }

  #knows (other: SimHost): void {
    if (!this.#part.host.banned.has(other)) this.mesh.knows(other.name, this.#isNear(other), this.#world.clock.nowMs)
  }

  #isNear (other: SimHost): boolean {
    return this.#world.isNear(this.#part.host, other)
  }

  #isServing (name: string): boolean {
    for (const job of this.#part.host.sending) if (job.member === name && job.part === this.#part) return true
    return false
  }

  #host (name: string): SimHost {
    const host = this.#world.hosts.get(name)
    if (host === undefined) throw new RangeError(`nobody knows ${name}`)
    return host
  }
}
