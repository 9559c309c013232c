import type { HostGroup, Scenario } from '../scenario.ts'
import type { SimClock } from './clock.ts'
import type { SimHost } from './host.ts'

/** A message that waits for a partition to end is lost with its link after so long: two pings without an answer. Milliseconds. */
export const LINK_PATIENCE_MS = 25_000

export interface WireInit {
  readonly scenario: Scenario
  /** Bytes of messages. */
  readonly onControl: (bytes: number) => void
}

/**
 * Messages between agents: late by the way between their groups, those from one to another in order, lost with whoever dies.
 * They take no part of the links' bytes; they are counted.
 */
export class SimWire {
  readonly #clock: SimClock
  readonly #init: WireInit
  readonly #latencies = new Map<HostGroup, Map<HostGroup, number>>()
  /** Names of groups that are cut off from the rest, one list for each partition. */
  readonly #cuts = new Set<readonly string[]>()
  readonly #waiting: Array<() => void> = []

  constructor (clock: SimClock, init: WireInit) {
    this.#clock = clock
    this.#init = init
  }

  /** One way, in milliseconds. */
  latencyMs (from: HostGroup, to: HostGroup): number {
    const known = this.#latencies.get(from)?.get(to)
    if (known !== undefined) return known
    const latencyMs = from.latencyMs + to.latencyMs + pathsBetween(this.#init.scenario, from.name, to.name).reduce((sum, path) => sum + path.latencyMs, 0)
    const row = this.#latencies.get(from) ?? new Map<HostGroup, number>()
    row.set(to, latencyMs)
    this.#latencies.set(from, row)
    return latencyMs
  }

  /** To the origin, one way, in milliseconds. */
  originLatencyMs (group: HostGroup): number {
    const { scenario } = this.#init
    return group.latencyMs + (scenario.origin?.latencyMs ?? 0) + pathsBetween(scenario, group.name, 'origin').reduce((sum, path) => sum + path.latencyMs, 0)
  }

  /** `hear` runs at the receiver, when it neither is dead nor stalls. */
  tell (from: SimHost, to: SimHost, bytes: number, hear: () => void): void {
    if (!from.isUp) return
    this.#init.onControl(bytes)
    const { life } = to
    this.#clock.after(this.latencyMs(from.group, to.group), () => { this.#deliver(from, to, life, hear) })
  }

  /** The same to many, by few events. */
  tellAll (from: SimHost, receivers: readonly SimHost[], bytes: number, hear: (to: SimHost) => void): void {
    if (!from.isUp) return
    this.#init.onControl(bytes * receivers.length)
    const byLatency = new Map<number, Array<{ readonly to: SimHost, readonly life: number }>>()
    for (const to of receivers) {
      const latencyMs = this.latencyMs(from.group, to.group)
      const one = { to, life: to.life }
      const same = byLatency.get(latencyMs)
      if (same === undefined) byLatency.set(latencyMs, [one])
      else same.push(one)
    }
    for (const [latencyMs, same] of byLatency) {
      this.#clock.after(latencyMs, () => {
        for (const { to, life } of same) this.#deliver(from, to, life, () => { hear(to) })
      })
    }
  }

  /** Whether nothing passes between two groups; `origin` is a group too. */
  isCut (one: string, other: string): boolean {
    for (const groups of this.#cuts) if (groups.includes(one) !== groups.includes(other)) return true
    return false
  }

  /** These groups reach each other and nobody else. @returns ends it */
  cut (groups: readonly string[]): () => void {
    this.#cuts.add(groups)
    return () => {
      this.#cuts.delete(groups)
      for (const deliver of this.#waiting.splice(0)) deliver()
    }
  }

  /** @param sinceMs - when it would have come */
  #deliver (from: SimHost, to: SimHost, life: number, hear: () => void, sinceMs = this.#clock.nowMs): void {
    if (!to.isUp || to.life !== life) return
    if (this.#cuts.size > 0 && this.isCut(from.group.name, to.group.name)) {
      this.#waiting.push(() => { if (this.#clock.nowMs - sinceMs < LINK_PATIENCE_MS) this.#deliver(from, to, life, hear, sinceMs) })
    } else if (to.isStalled) to.unheard.push(hear)
    else hear()
  }
}

/** Those that all traffic between two groups passes, in its direction or against it. */
export function pathsBetween ({ paths }: Scenario, from: string, to: string): typeof paths {
  if (from === to) return []
  return paths.filter(path => {
    if (path.to !== undefined) return (path.from === from && path.to === to) || (path.from === to && path.to === from)
    return path.from === from || path.from === to
  })
}
