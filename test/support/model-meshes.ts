import { GOSSIP_FAN, GOSSIP_MS, Mesh } from '../../src/swarm/mesh.ts'
import { sampleOf } from '../../src/swarm/sample.ts'
import type { ModelClock } from './model-clock.ts'
import type { ModelHost } from './model-host.ts'
import type { ModelWire } from './model-wire.ts'

const UPKEEP_MS = 1000
/** Others that one message names. */
const MAX_NAMED = 32
const MISSING_MS = 60_000

export interface ModelMeshesParts {
  readonly clock: ModelClock
  readonly wire: ModelWire
  /** Says to a host what another holds. */
  readonly join: (from: ModelHost, to: ModelHost) => void
}

/**
 * Who takes part with whom, where nobody takes part with all: the real meshes. At the start each host knows the first host only,
 * which names those who have asked it before.
 */
export class ModelMeshes {
  readonly #parts: ModelMeshesParts
  readonly #degree: number
  readonly #random: () => number
  readonly #meshes = new Map<ModelHost, Mesh>()
  readonly #hosts = new Map<string, ModelHost>()
  /** Who asked a host before it had started. */
  readonly #interest = new Map<ModelHost, Set<ModelHost>>()

  constructor (parts: ModelMeshesParts, { degree, random }: { degree: number, random: () => number }) {
    this.#parts = parts
    this.#degree = degree
    this.#random = random
  }

  start (host: ModelHost, hosts: readonly ModelHost[]): void {
    for (const one of hosts) this.#hosts.set(one.id, one)
    const mesh = new Mesh({ limit: this.#degree, random: this.#random, isDelivering: id => this.#isDelivering(host, id), sought: () => host.session.fellows })
    this.#meshes.set(host, mesh)
    for (const other of [...hosts.slice(0, 1), ...this.#interest.get(host) ?? []]) {
      if (other !== host) mesh.knows(other.id, this.#isNear(host, other), this.#parts.clock.nowMs)
    }
    this.#keep(host)
    for (const ms of GOSSIP_MS) {
      this.#parts.clock.after(ms, () => {
        if (mesh.degree < mesh.low) return
        for (const to of sampleOf([...host.joined], GOSSIP_FAN, this.#random)) this.#name(host, to, [...host.joined])
      })
    }
  }

  /** A join has come. */
  admits (host: ModelHost, from: ModelHost): boolean {
    const mesh = this.#meshes.get(host)
    const interest = this.#interest.get(host) ?? new Set()
    this.#interest.set(host, interest)
    if (mesh === undefined) {
      this.#name(host, from, [...interest])
      interest.add(from)
      this.#parts.wire.tell(host, from, () => { this.#refused(from, host, MISSING_MS) })
      return false
    }
    this.#name(host, from, [...host.joined])
    const { isAdmitted, leave } = mesh.joined(from.id, this.#isNear(host, from), this.#parts.clock.nowMs)
    if (leave !== undefined) this.#leave(host, this.#host(leave))
    if (!isAdmitted) {
      if (host.joined.has(from)) this.#leave(host, from)
      else this.#parts.wire.tell(host, from, () => { this.#refused(from, host) })
      return false
    }
    if (!host.joined.has(from)) this.#parts.join(host, from)
    return true
  }

  /** Members of a host. */
  membersOf (host: ModelHost): ModelHost[] {
    return [...host.session.members.keys()].map(id => this.#host(id))
  }

  #keep (host: ModelHost): void {
    if (!host.isAlive || host.session.isComplete) return
    this.#decide(host)
    this.#parts.clock.after(UPKEEP_MS, () => { this.#keep(host) })
  }

  #decide (host: ModelHost): void {
    for (const { type, peer } of this.#meshes.get(host)?.next(this.#parts.clock.nowMs) ?? []) {
      const other = this.#host(peer)
      if (type === 'leave') this.#leave(host, other)
      else if (other.isAlive) this.#parts.join(host, other)
      else {
        this.#meshes.get(host)?.left(peer, this.#parts.clock.nowMs)
        host.session.unreachable(peer)
      }
    }
  }

  #leave (host: ModelHost, other: ModelHost): void {
    this.#name(host, other, [...host.joined].filter(one => one !== other))
    host.forget(other, { goesOn: true })
    this.#parts.wire.tell(host, other, () => {
      other.forget(host, { goesOn: true })
      this.#refused(other, host)
    })
  }

  #refused (host: ModelHost, by: ModelHost, forMs?: number): void {
    host.joined.delete(by)
    this.#meshes.get(host)?.left(by.id, this.#parts.clock.nowMs, { forMs })
    this.#decide(host)
  }

  #name (host: ModelHost, to: ModelHost, others: readonly ModelHost[]): void {
    const foremost = host.session.foremost.filter(id => id !== to.id)
    const some = sampleOf(others.filter(one => one !== to).map(({ id }) => id), MAX_NAMED, this.#random)
    const names = [...new Set([...foremost, ...some])].slice(0, MAX_NAMED)
    this.#parts.wire.tell(host, to, () => {
      to.session.knows(names)
      for (const name of names) if (name !== to.id) this.#meshes.get(to)?.knows(name, this.#isNear(to, this.#host(name)), this.#parts.clock.nowMs)
      this.#decide(to)
    })
  }

  #isDelivering (host: ModelHost, id: string): boolean {
    const job = [...host.sending.values()].some(({ job }) => job.member === id)
    return job || host.session.isAsked(id) || [...this.#host(id).unanswered].some(key => key.startsWith(`${host.id} `))
  }

  #isNear (one: ModelHost, other: ModelHost): boolean {
    return one.init.zone === other.init.zone
  }

  #host (id: string): ModelHost {
    const host = this.#hosts.get(id)
    if (host === undefined) throw new Error(`nobody knows ${id}`)
    return host
  }
}
