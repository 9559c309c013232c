import type { GroupPath, HostGroup, Scenario } from '../scenario.ts'
import type { SimHost } from './host.ts'
import type { Flow, Passage, Pipe, SimNetwork } from './network.ts'
import { pathsBetween, SimWire } from './wire.ts'
import { SimClock } from './clock.ts'

/** TCP payload of a packet, in bytes, and the constant of Mathis, Semke, Mahdavi and Ott 1997. */
const SEGMENT_BYTES = 1448
const MATHIS = 1.22
/** Farther than this many times the way within the own group, and so much more, is far: `src/swarm/nearness`. Milliseconds. */
const FAR_FACTOR = 8
const FAR_ALLOWANCE_MS = 20

/** What bytes pass between two groups, or between a group and the origin. */
interface Route {
  readonly passages: readonly Passage[]
  /** Bytes per millisecond that one flow reaches by itself. */
  readonly cap: number
}

/** All that lies between hosts: their own links, paths between groups, shared media, the origin's link. */
export class Routes {
  readonly #scenario: Scenario
  readonly #network: SimNetwork
  readonly #wire: SimWire
  readonly #paths = new Map<GroupPath, { readonly up: Pipe, readonly down: Pipe }>()
  readonly #media = new Map<string, Pipe>()
  readonly #origin: Pipe | undefined
  readonly #routes = new Map<string, Route>()
  readonly #near = new Map<HostGroup, Map<HostGroup, boolean>>()

  constructor (scenario: Scenario, network: SimNetwork) {
    this.#scenario = scenario
    this.#network = network
    this.#wire = new SimWire(new SimClock(), { scenario, onControl: () => {} })
    for (const path of scenario.paths) this.#paths.set(path, { up: network.add(path.up / 1000), down: network.add(path.down / 1000) })
    for (const { name, rate } of scenario.media) this.#media.set(name, network.add(rate / 1000))
    this.#origin = scenario.origin === undefined ? undefined : network.add(scenario.origin.up / 1000)
  }

  /** A host's own, within the agent's limits. */
  linksOf ({ up, down }: HostGroup): { readonly up: Pipe, readonly down: Pipe } {
    const { uploadLimit, downloadLimit } = this.#scenario.agent
    return { up: this.#network.add(Math.min(up, uploadLimit) / 1000), down: this.#network.add(Math.min(down, downloadLimit) / 1000) }
  }

  between (from: SimHost, to: SimHost, bytes: number, onDone: () => void): Flow {
    const { passages, cap } = this.#route(from.group, to.group)
    return this.#network.begin([{ pipe: from.up, weight: 1 }, { pipe: to.down, weight: 1 }, ...passages], bytes, onDone, cap)
  }

  fromOrigin (to: SimHost, bytes: number, onDone: () => void): Flow {
    const { passages, cap } = this.#route(undefined, to.group)
    return this.#network.begin([{ pipe: to.down, weight: 1 }, ...passages], bytes, onDone, cap)
  }

  /** Whether one prefers the other for a member: the same zone, or else no long way. */
  isNear (one: HostGroup, other: HostGroup): boolean {
    const row = this.#near.get(one) ?? new Map<HostGroup, boolean>()
    this.#near.set(one, row)
    const isNear = row.get(other) ?? this.#isNear(one, other)
    row.set(other, isNear)
    return isNear
  }

  #isNear (one: HostGroup, other: HostGroup): boolean {
    if (one.zone !== undefined && other.zone !== undefined) return one.zone === other.zone
    return 2 * this.#wire.latencyMs(one, other) <= FAR_FACTOR * 2 * this.#wire.latencyMs(one, one) + FAR_ALLOWANCE_MS
  }

  #route (from: HostGroup | undefined, to: HostGroup): Route {
    const key = `${from?.name ?? ''} ${to.name}`
    const known = this.#routes.get(key)
    if (known !== undefined) return known
    const passages: Passage[] = []
    for (const path of pathsBetween(this.#scenario, from?.name ?? 'origin', to.name)) {
      const pipes = this.#paths.get(path)
      if (pipes !== undefined) passages.push({ pipe: path.from === from?.name ? pipes.up : pipes.down, weight: 1 })
    }
    for (const [name, pipe] of this.#media) {
      const weight = Number(from?.medium === name) + Number(to.medium === name)
      if (weight > 0) passages.push({ pipe, weight })
    }
    if (from === undefined && this.#origin !== undefined) passages.push({ pipe: this.#origin, weight: 1 })
    const route = { passages: passages.filter(({ pipe }) => pipe.rate < Infinity), cap: this.#cap(from, to) }
    this.#routes.set(key, route)
    return route
  }

  /** What packet loss leaves of one flow. */
  #cap (from: HostGroup | undefined, to: HostGroup): number {
    const passed = (1 - (from?.loss ?? 0)) * (1 - to.loss)
    if (passed === 1) return Infinity
    const roundTripMs = 2 * (from === undefined ? this.#wire.originLatencyMs(to) : this.#wire.latencyMs(from, to))
    return MATHIS * SEGMENT_BYTES / (Math.max(0.1, roundTripMs) * Math.sqrt(1 - passed))
  }
}
