import { setImmediate as nextTurn } from 'node:timers/promises'
import { OwnershipSeed, type SeedOf } from '../../src/swarm/ownership.ts'
import { layersOf, planOf } from '../plan.ts'
import type { Engine, RunObserver, RunProgress } from '../result.ts'
import { randomOf } from '../random.ts'
import type { Scenario } from '../scenario.ts'
import { SimClock } from './clock.ts'
import { Directory } from './directory.ts'
import { SimHost } from './host.ts'
import { Mishaps } from './mishaps.ts'
import { SimNetwork } from './network.ts'
import { SimOrigin } from './origin.ts'
import { SimPull } from './pull.ts'
import { Routes } from './routes.ts'
import { waitOf } from './waits.ts'
import { SimWire } from './wire.ts'
import { documentOf, type World } from './world.ts'

/** What an agent does ten times a second. */
const TICK_MS = 100
/** Events between two looks at the world outside. */
const EVENTS_PER_TURN = 20_000
/** Real time between two reports of progress, in milliseconds. */
const PROGRESS_MS = 100

/** Runs a scenario in virtual time, with the real sessions: the same for the same seed. */
export const simulate: Engine = async (scenario, observer, { signal, onProgress } = {}) => {
  const run = new Simulation(scenario, observer)
  let toldMs = -Infinity
  for (;;) {
    const isOn = run.go(EVENTS_PER_TURN)
    const isAborted = signal?.aborted === true
    if (!isOn || isAborted || performance.now() - toldMs > PROGRESS_MS) {
      toldMs = performance.now()
      onProgress?.(run.progress)
      await nextTurn()
    }
    if (!isOn || isAborted) return { durationMs: run.durationMs, isPartial: isAborted }
  }
}

class Simulation {
  readonly #world: World
  readonly #clock = new SimClock()
  readonly #pulls = new Map<SimHost, SimPull>()
  /** Hosts whose end is waited for. */
  readonly #pending = new Set<SimHost>()
  /** Hosts whose turn has come; who was away then begins when it is back. */
  readonly #due = new Set<SimHost>()
  readonly #begun = new Set<SimHost>()
  readonly #rolling: Array<{ readonly waiting: string[], readonly running: Set<string>, readonly maxUnavailable: number }> = []
  #started = 0
  #done = 0
  #failed = 0
  #bytes = 0
  #originBytes = 0
  #bytesInAll = 0
  #lastMs = 0

  constructor (scenario: Scenario, observer: RunObserver) {
    const clock = this.#clock
    const network = new SimNetwork(clock)
    const plan = planOf(scenario)
    const hosts = new Map<string, SimHost>()
    const routes = new Routes(scenario, network)
    const seeds = new Map<string, SeedOf>()
    const world: World = {
      scenario,
      plan,
      clock,
      network,
      hosts,
      observer: this.#counted(observer),
      wire: new SimWire(clock, { scenario, onControl: bytes => { observer.control(bytes, clock.nowMs) } }),
      directory: new Directory(() => world),
      origin: new SimOrigin(() => world, scenario.origin, scenario.seed),
      random: randomOf(scenario.seed, 'sim'),
      hasLiars: scenario.faults.some(({ type }) => type === 'lie'),
      seedsOf: layer => {
        const known = seeds.get(layer) ?? seedsOf(layer)
        seeds.set(layer, known)
        return known
      },
      transfer: (from, to, bytes, onDone) => routes.between(from, to, bytes, onDone),
      download: (to, bytes, onDone) => routes.fromOrigin(to, bytes, onDone),
      isNear: (one, other) => routes.isNear(one.group, other.group)
    }
    this.#world = world
    const pulled = scenario.pulls.map(({ images }) => layersOf(scenario, images))
    for (const planned of plan.hosts) {
      const { up, down } = routes.linksOf(planned.group)
      const host = new SimHost(planned, { clock, up, down, agent: scenario.agent })
      for (const layers of pulled) if (layers.every(({ name }) => host.stored.has(name))) host.stored.add(documentOf(layers).name)
      hosts.set(planned.name, host)
    }
    const all = [...hosts.values()]
    world.directory.link(all, scenario.discovery.neighbours, scenario.seed)
    world.origin.start()
    for (const host of all) this.#plan(host)
    for (const { hosts, maxUnavailable, fromMs } of plan.rolling) {
      const rolling = { waiting: [...hosts], running: new Set<string>(), maxUnavailable }
      this.#rolling.push(rolling)
      clock.at(fromMs, () => { for (let count = 0; count < maxUnavailable; count++) this.#roll(rolling) })
    }
    new Mishaps(world, {
      onGone: (host, isForGood) => { this.#gone(host, isForGood) },
      onBack: host => { if (this.#due.has(host)) this.#start(host) }
    }).start()
    if (this.#pending.size === 0) clock.stop()
  }

  /** Runs so many events. @returns whether there is more to do */
  go (events: number): boolean {
    return this.#clock.run(this.#world.scenario.limitMs, events)
  }

  get durationMs (): number {
    return this.#pending.size === 0 ? this.#lastMs : this.#clock.nowMs
  }

  get progress (): RunProgress {
    return {
      atMs: this.#clock.nowMs,
      hosts: this.#pulls.size,
      started: this.#started,
      done: this.#done,
      failed: this.#failed,
      bytes: this.#bytes,
      bytesInAll: this.#bytesInAll,
      originBytes: this.#originBytes
    }
  }

  #plan (host: SimHost): void {
    const { pull, faults } = host.planned
    if (pull === undefined) return
    const one = new SimPull(this.#world, host, { onDone: () => { this.#ended(host, undefined) }, onFailed: reason => { this.#ended(host, reason) } })
    this.#pulls.set(host, one)
    this.#bytesInAll += one.bytes
    if (!faults.some(({ type }) => type === 'lie')) this.#pending.add(host)
    if (pull.startMs !== undefined) this.#clock.at(pull.startMs, () => { this.#start(host) })
  }

  #start (host: SimHost): void {
    const pull = this.#pulls.get(host)
    if (pull === undefined || pull.isOver) return
    this.#due.add(host)
    if (!host.isUp) return
    if (!this.#begun.has(host)) {
      this.#begun.add(host)
      this.#started++
      this.#world.observer.started(host.name, pull.bytes, this.#clock.nowMs)
    }
    pull.start()
    this.#tick(host, host.life)
  }

  #tick (host: SimHost, life: number): void {
    const { observer } = this.#world
    if (host.life !== life || this.#pulls.get(host)?.isOver === true) return
    for (const part of host.parts.values()) part.tick()
    observer.waited(host.name, waitOf(host), TICK_MS)
    this.#clock.after(TICK_MS, () => { this.#tick(host, life) })
  }

  #ended (host: SimHost, failure: string | undefined): void {
    const { nowMs } = this.#clock
    const { observer } = this.#world
    this.#lastMs = nowMs
    if (failure === undefined) {
      this.#done++
      observer.done(host.name, nowMs)
    } else {
      this.#failed++
      observer.failed(host.name, failure, nowMs)
    }
    this.#over(host)
  }

  #gone (host: SimHost, isForGood: boolean): void {
    if (this.#pulls.get(host)?.isOver !== false) return
    if (!isForGood) return
    this.#lastMs = this.#clock.nowMs
    this.#world.observer.left(host.name, this.#clock.nowMs)
    this.#over(host)
  }

  /** Nothing more is expected of it: in a rolling pull the next one's turn has come. */
  #over (host: SimHost): void {
    this.#pending.delete(host)
    if (this.#pending.size === 0) this.#clock.stop()
    for (const rolling of this.#rolling) if (rolling.running.delete(host.name)) this.#roll(rolling)
  }

  #roll (rolling: { readonly waiting: string[], readonly running: Set<string> }): void {
    const host = this.#world.hosts.get(rolling.waiting.shift() ?? '')
    if (host === undefined) return
    rolling.running.add(host.name)
    this.#start(host)
    if (host.isDead) this.#over(host)
  }

  /** Notes on the way what progress shows. */
  #counted (observer: RunObserver): RunObserver {
    return {
      started: (host, bytes, atMs) => { observer.started(host, bytes, atMs) },
      received: (host, from, bytes, atMs) => {
        this.#bytes += bytes
        observer.received(host, from, bytes, atMs)
      },
      gave: (host, bytes, atMs) => { observer.gave(host, bytes, atMs) },
      inVain: (host, bytes, atMs) => { observer.inVain(host, bytes, atMs) },
      crossedBorder: bytes => { observer.crossedBorder(bytes) },
      wrong: (host, bytes, atMs) => { observer.wrong(host, bytes, atMs) },
      control: (bytes, atMs) => { observer.control(bytes, atMs) },
      originAnswered: (bytes, atMs) => { observer.originAnswered(bytes, atMs) },
      originSent: (bytes, atMs) => {
        this.#originBytes += bytes
        observer.originSent(bytes, atMs)
      },
      done: (host, atMs) => { observer.done(host, atMs) },
      failed: (host, reason, atMs) => { observer.failed(host, reason, atMs) },
      left: (host, atMs) => { observer.left(host, atMs) },
      waited: (host, cause, forMs) => { observer.waited(host, cause, forMs) },
      lied: (liar, to, atMs) => { observer.lied(liar, to, atMs) },
      banned: (liar, by, atMs) => { observer.banned(liar, by, atMs) },
      event: event => { observer.event(event) }
    }
  }
}

/** Those of all agents, each made once. */
function seedsOf (layer: string): SeedOf {
  const seeds = new Map<string, OwnershipSeed>()
  return name => {
    const seed = seeds.get(name) ?? new OwnershipSeed(`sha256:${layer}`, name)
    seeds.set(name, seed)
    return seed
  }
}
