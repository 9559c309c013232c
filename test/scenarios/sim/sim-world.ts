import { parseScenario } from '../../../scenarios/file/load.ts'
import { planOf } from '../../../scenarios/plan.ts'
import { randomOf } from '../../../scenarios/random.ts'
import { Recorder } from '../../../scenarios/recorder.ts'
import { SimClock } from '../../../scenarios/sim/clock.ts'
import { Directory } from '../../../scenarios/sim/directory.ts'
import { SimHost } from '../../../scenarios/sim/host.ts'
import { SimNetwork } from '../../../scenarios/sim/network.ts'
import { SimOrigin } from '../../../scenarios/sim/origin.ts'
import { Routes } from '../../../scenarios/sim/routes.ts'
import { SimWire } from '../../../scenarios/sim/wire.ts'
import { OwnershipSeed } from '../../../src/swarm/ownership.ts'
import type { World } from '../../../scenarios/sim/world.ts'

/** The world of a scenario in which nobody does anything by itself, and no agent has a link: for tests of one part of it. */
export class SimWorld {
  readonly world: World
  readonly clock = new SimClock()
  readonly routes: Routes
  /** Bytes of messages. */
  controlBytes = 0

  constructor (yaml: string) {
    const { clock } = this
    const scenario = parseScenario('test.yaml', yaml)
    const network = new SimNetwork(clock)
    const routes = new Routes(scenario, network)
    const plan = planOf(scenario)
    const hosts = new Map(plan.hosts.map(planned => {
      const { up, down } = routes.linksOf(planned.group)
      return [planned.name, new SimHost(planned, { clock, up, down, agent: scenario.agent })]
    }))
    this.routes = routes
    this.world = {
      scenario,
      plan,
      clock,
      network,
      hosts,
      observer: new Recorder(scenario, { engine: 'sim', shoal: '0.0.0' }),
      wire: new SimWire(clock, { scenario, onControl: bytes => { this.controlBytes += bytes } }),
      directory: new Directory(() => this.world),
      origin: new SimOrigin(() => this.world, scenario.origin, scenario.seed),
      random: randomOf(scenario.seed, 'test'),
      hasLiars: false,
      seedsOf: layer => name => new OwnershipSeed(`sha256:${layer}`, name),
      transfer: (from, to, bytes, onDone) => routes.between(from, to, bytes, onDone),
      download: (to, bytes, onDone) => routes.fromOrigin(to, bytes, onDone),
      isNear: (one, other) => routes.isNear(one.group, other.group)
    }
  }

  host (name: string): SimHost {
    const host = this.world.hosts.get(name)
    if (host === undefined) throw new RangeError(`the scenario has no host ${name}`)
    return host
  }

  /** Lets all happen up to then, in milliseconds. */
  runTo (atMs: number): void {
    this.clock.at(atMs, () => {})
    while (this.clock.run(atMs, 1000));
  }

  link (one: SimHost, other: SimHost): void {
    one.link(other)
  }
}
