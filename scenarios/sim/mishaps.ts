import type { PlannedFault } from '../plan.ts'
import { exponential, randomOf } from '../random.ts'
import type { ChurnSpec } from '../scenario.ts'
import type { SimHost } from './host.ts'
import { drop, serve, silence } from './serving.ts'
import { LINK_PATIENCE_MS } from './wire.ts'
import type { World } from './world.ts'

/** An agent that comes back calls its neighbours again after so long, as one that has lost links does, in milliseconds. */
const REJOIN_MS = 1_000
/** Neighbours that it finds then. */
const REJOIN_LINKS = 8

export interface MishapListener {
  /** It is gone, for good or for a while. */
  onGone (host: SimHost, isForGood: boolean): void
  onBack (host: SimHost): void
}

/** Carries out what goes wrong: hosts that die, come back, slow down, stall, leave; networks that fall apart. */
export class Mishaps {
  readonly #world: World
  readonly #listener: MishapListener

  constructor (world: World, listener: MishapListener) {
    this.#world = world
    this.#listener = listener
  }

  /** Plans all of the scenario's. */
  start (): void {
    const { clock, hosts, plan, observer, scenario } = this.#world
    for (const host of hosts.values()) {
      for (const fault of host.planned.faults) clock.at(fault.fromMs, () => { this.#begin(host, fault) })
      const { churn } = host.group
      const startMs = host.planned.pull?.startMs ?? 0
      if (churn !== undefined) this.#churn(host, churn, startMs, randomOf(scenario.seed, `churn ${host.name}`))
    }
    for (const { groups, fromMs, toMs } of plan.partitions) clock.at(fromMs, () => { this.#part(groups, toMs) })
    for (const { fromMs } of plan.dhtLosses) clock.at(fromMs, () => { observer.event({ atMs: clock.nowMs, type: 'dht-lost', host: null, detail: '' }) })
  }

  #begin (host: SimHost, { type: fault, toMs, factor }: PlannedFault): void {
    const { clock, observer } = this.#world
    const note = (type: 'killed' | 'slowed' | 'stalled' | 'lied' | 'recovered' | 'restarted', detail = ''): void => {
      observer.event({ atMs: clock.nowMs, type, host: host.name, detail })
    }
    switch (fault) {
      case 'kill':
        note('killed')
        this.#die(host, true)
        break
      case 'restart':
        note('killed')
        this.#die(host, false)
        clock.at(toMs, () => {
          if (host.isDead) return
          note('restarted')
          this.#rise(host)
        })
        break
      case 'slow':
        note('slowed', `to ${factor} of its pace`)
        this.#pace(host, factor)
        if (toMs < Infinity) {
          clock.at(toMs, () => {
            note('recovered')
            this.#pace(host, 1)
          })
        }
        break
      case 'stall':
        note('stalled')
        this.#stall(host)
        if (toMs < Infinity) {
          clock.at(toMs, () => {
            note('recovered')
            this.#wake(host)
          })
        }
        break
      case 'lie':
        break
      default:
        fault satisfies never
    }
  }

  #churn (host: SimHost, churn: ChurnSpec, fromMs: number, random: () => number): void {
    const { clock, observer } = this.#world
    const leaveMs = fromMs + exponential(churn.meanUpMs, random)
    const backMs = leaveMs + (churn.meanDownMs === Infinity ? Infinity : exponential(churn.meanDownMs, random))
    clock.at(leaveMs, () => {
      if (!host.isUp) return
      observer.event({ atMs: clock.nowMs, type: 'left', host: host.name, detail: '' })
      this.#die(host, backMs === Infinity)
      if (backMs === Infinity) return
      clock.at(backMs, () => {
        if (host.isDead) return
        observer.event({ atMs: clock.nowMs, type: 'came-back', host: host.name, detail: '' })
        this.#rise(host)
        this.#churn(host, churn, backMs, random)
      })
    })
  }

  /** What has come is kept; the others see their links break. */
  #die (host: SimHost, isForGood: boolean): void {
    const { clock, wire } = this.#world
    host.isDead ||= isForGood
    if (!host.isUp) {
      if (isForGood) this.#listener.onGone(host, true)
      return
    }
    host.isUp = false
    host.life++
    silence(this.#world, host)
    for (const part of host.parts.values()) {
      for (const { part: from } of [...part.incoming]) drop(this.#world, from.host, host, from)
      if (part.isFetching) host.kept.set(part.layer.name, [...part.session.held])
      part.end()
    }
    host.parts.clear()
    host.interest.clear()
    host.calling.clear()
    host.unheard.length = 0
    host.isOriginConnected = false
    host.hasLinked = false
    for (const other of host.links) clock.after(wire.latencyMs(host.group, other.group), () => { if (!host.isUp) this.#world.directory.bury(host, other) })
    this.#listener.onGone(host, isForGood)
  }

  #rise (host: SimHost): void {
    if (host.isUp || host.isDead) return
    // links of an earlier life are not there any more, seen or not
    for (const other of [...host.links]) this.#world.directory.bury(host, other)
    host.isUp = true
    if (host.isStalled) this.#pace(host, 1)
    host.isStalled = false
    this.#rejoin(host)
    this.#listener.onBack(host)
  }

  #rejoin (host: SimHost): void {
    const { clock, directory, hosts, random } = this.#world
    const all = [...hosts.values()]
    clock.after(REJOIN_MS * random(), () => {
      for (let tries = 0; tries < REJOIN_LINKS; tries++) {
        const other = all[Math.floor(random() * all.length)] as SimHost
        if (other !== host && other.isUp) directory.connect(host, other, () => {})
      }
    })
  }

  #pace (host: SimHost, factor: number): void {
    const { network, scenario: { agent } } = this.#world
    network.setRate(host.up, Math.min(host.group.up * factor, agent.uploadLimit) / 1000)
    network.setRate(host.down, Math.min(host.group.down * factor, agent.downloadLimit) / 1000)
  }

  #stall (host: SimHost): void {
    if (!host.isUp) return
    host.isStalled = true
    this.#pace(host, 0)
    const { life } = host
    this.#world.clock.after(LINK_PATIENCE_MS, () => {
      if (host.isStalled && host.life === life) for (const other of [...host.links]) this.#world.directory.bury(host, other)
    })
  }

  #wake (host: SimHost): void {
    if (!host.isStalled) return
    host.isStalled = false
    this.#pace(host, 1)
    for (const hear of host.unheard.splice(0)) hear()
    // who has given it up meanwhile is no member any more
    for (const part of host.parts.values()) {
      for (const name of [...part.session.members.keys()]) {
        const other = this.#world.hosts.get(name)
        if (other !== undefined && !host.links.has(other)) {
          part.forget(other)
          part.membership?.gone(other)
        }
      }
    }
    if (host.links.size === 0) this.#rejoin(host)
    serve(this.#world, host)
  }

  /** These groups reach each other and nobody else. */
  #part (groups: readonly string[], toMs: number): void {
    const { clock, directory, hosts, observer, wire } = this.#world
    const heal = wire.cut(groups)
    let isHealed = false
    observer.event({ atMs: clock.nowMs, type: 'partitioned', host: null, detail: groups.join(', ') })
    const inside = [...hosts.values()].filter(host => groups.includes(host.group.name))
    const acrossOf = (host: SimHost): SimHost[] => [...host.links].filter(other => wire.isCut(host.group.name, other.group.name))
    for (const host of inside) {
      for (const other of acrossOf(host)) {
        drop(this.#world, host, other)
        drop(this.#world, other, host)
      }
      for (const part of host.parts.values()) if (wire.isCut(host.group.name, 'origin')) part.reading?.stop()
    }
    const lonely = new Set<SimHost>()
    clock.after(LINK_PATIENCE_MS, () => {
      if (isHealed) return
      for (const host of inside) {
        for (const other of acrossOf(host)) {
          directory.bury(other, host)
          directory.bury(host, other)
          lonely.add(host)
        }
      }
    })
    if (toMs === Infinity) return
    clock.at(toMs, () => {
      isHealed = true
      heal()
      observer.event({ atMs: clock.nowMs, type: 'joined-again', host: null, detail: groups.join(', ') })
      for (const host of lonely) if (host.isUp) this.#rejoin(host)
    })
  }
}
