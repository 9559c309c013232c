import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { randomOf } from '../../../scenarios/random.ts'
import { SimClock } from '../../../scenarios/sim/clock.ts'
import { SimNetwork } from '../../../scenarios/sim/network.ts'
import { fairShares } from './fair-shares.ts'
import type { Flow, Passage, Pipe } from '../../../scenarios/sim/network.ts'

interface GraphFlow {
  readonly passages: ReadonlyArray<{ readonly pipe: number, readonly weight: number }>
  readonly cap: number
}

interface Graph {
  readonly rates: readonly number[]
  readonly flows: readonly GraphFlow[]
}

/** A flow keeps its pace while the fair one is hardly off, and so may each that shares with it: what they leave to one adds up. */
const TOLERANCE = 0.005
/** In a large network it may be a hundredth off. */
const LARGE_TOLERANCE = 0.03

const graphs: fc.Arbitrary<Graph> = fc.array(fc.integer({ min: 10, max: 1000 }), { minLength: 1, maxLength: 8 }).chain(rates => fc.record({
  rates: fc.constant(rates),
  flows: fc.array(fc.record({
    passages: fc.uniqueArray(fc.record({ pipe: fc.nat({ max: rates.length - 1 }), weight: fc.constantFrom(1, 1, 2) }), { minLength: 1, maxLength: 3, selector: ({ pipe }) => pipe }),
    cap: fc.oneof({ weight: 3, arbitrary: fc.constant(Infinity) }, { weight: 1, arbitrary: fc.integer({ min: 5, max: 500 }) })
  }), { minLength: 1, maxLength: 14 })
}))

function referenceOf ({ rates, flows }: Graph): number[] {
  const pipes = rates.map((rate, pipe) => ({ rate, flows: flows.flatMap(({ passages }, flow) => passages.filter(one => one.pipe === pipe).map(({ weight }) => ({ flow, weight }))) }))
  return fairShares(pipes, flows.map(({ cap }) => cap))
}

/** A network on a clock of its own. */
class Scene {
  readonly clock = new SimClock()
  readonly network = new SimNetwork(this.clock)

  /** Lets all happen that is planned for now, or for so long. */
  settle (forMs = 0): void {
    const { clock } = this
    const untilMs = clock.nowMs + forMs
    // what has changed is looked at after an event
    for (const atMs of [clock.nowMs, untilMs]) clock.at(atMs, () => {})
    while (clock.run(untilMs, 1000));
  }

  begin (passages: ReadonlyArray<Pipe | Passage>, bytes = 1e9, { cap = Infinity, onDone = () => {} }: { readonly cap?: number, readonly onDone?: () => void } = {}): Flow {
    return this.network.begin(passages.map(passage => 'pipe' in passage ? passage : { pipe: passage, weight: 1 }), bytes, onDone, cap)
  }

  /** Flows of a graph, all begun at once. */
  build ({ rates, flows }: Graph, bytes = 1e12): { readonly pipes: Pipe[], readonly flows: Flow[] } {
    const pipes = rates.map(rate => this.network.add(rate))
    return { pipes, flows: flows.map(({ passages, cap }) => this.begin(passages.map(({ pipe, weight }) => ({ pipe: pipes[pipe] as Pipe, weight })), bytes, { cap })) }
  }
}

describe('fair sharing', () => {
  it('shares one pipe evenly, and takes what some cannot use to the others', () => {
    const scene = new Scene()
    const [wide, narrow] = [scene.network.add(90), scene.network.add(10)]
    const flows = [scene.begin([wide]), scene.begin([wide]), scene.begin([wide, narrow])]
    scene.settle()
    expect(flows.map(({ rate }) => rate)).toEqual([40, 40, 10])
    expect([wide.load, narrow.load, wide.count, narrow.count]).toEqual([1, 1, 3, 1])
  })

  it('is max-min fair: what progressive filling gives, whatever passes what', () => {
    fc.assert(fc.property(graphs, graph => {
      const scene = new Scene()
      const { flows } = scene.build(graph)
      scene.settle()
      for (const [index, rate] of referenceOf(graph).entries()) {
        expect(Math.abs((flows[index]?.rate ?? NaN) - rate), `flow ${index}: ${flows[index]?.rate} in place of ${rate}`).toBeLessThanOrEqual(TOLERANCE * rate)
      }
    }), { numRuns: 300 })
  })

  it('is fair again after flows have ended and rates are others', () => {
    fc.assert(fc.property(graphs, fc.array(fc.boolean(), { minLength: 14, maxLength: 14 }), fc.array(fc.constantFrom(0.1, 1, 3), { minLength: 8, maxLength: 8 }), (graph, stays, factors) => {
      const scene = new Scene()
      const { flows, pipes } = scene.build(graph)
      scene.settle()
      for (const [index, flow] of flows.entries()) if (stays[index] !== true) scene.network.end(flow)
      const rates = graph.rates.map((rate, index) => rate * (factors[index] ?? 1))
      for (const [index, pipe] of pipes.entries()) scene.network.setRate(pipe, rates[index] as number)
      scene.settle()
      const left = flows.filter((_, index) => stays[index] === true)
      const expected = referenceOf({ rates, flows: graph.flows.filter((_, index) => stays[index] === true) })
      for (const [index, rate] of expected.entries()) expect(Math.abs((left[index]?.rate ?? NaN) - rate)).toBeLessThanOrEqual(TOLERANCE * rate)
    }), { numRuns: 200 })
  })

  it('takes a shared medium twice where both ends are on it', () => {
    const scene = new Scene()
    const air = scene.network.add(60)
    const twice = scene.begin([{ pipe: air, weight: 2 }])
    scene.settle()
    expect(twice.rate).toBe(30)
    const once = scene.begin([air])
    scene.settle()
    expect([twice.rate, once.rate, air.load]).toEqual([20, 20, 1])
  })

  it('gives a flow no more than it reaches by itself', () => {
    const scene = new Scene()
    const pipe = scene.network.add(100)
    const [lossy, sound] = [scene.begin([pipe], 1e9, { cap: 5 }), scene.begin([pipe])]
    scene.settle()
    expect([lossy.rate, sound.rate]).toEqual([5, 95])
  })
})

describe('bytes on their way', () => {
  it('all arrive, once, after just as long as they need, and no pipe ever carries more than it can', () => {
    fc.assert(fc.property(graphs, fc.array(fc.tuple(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 1, max: 20_000 })), { minLength: 14, maxLength: 14 }), (graph, loads) => {
      const scene = new Scene()
      const { clock, network } = scene
      const pipes = graph.rates.map(rate => network.add(rate))
      const running = new Map<number, Flow>()
      const passed = graph.flows.map(() => 0)
      const done = graph.flows.map(() => 0)
      for (const [index, { passages, cap }] of graph.flows.entries()) {
        const [atMs, bytes] = loads[index] as readonly [number, number]
        clock.at(atMs, () => {
          running.set(index, scene.begin(passages.map(({ pipe, weight }) => ({ pipe: pipes[pipe] as Pipe, weight })), bytes, { cap, onDone: () => { done[index] = (done[index] ?? 0) + 1 } }))
        })
      }
      let before = new Map<number, number>()
      let beforeMs = 0
      while (clock.run(Infinity, 1)) {
        for (const [index, rate] of before) passed[index] = (passed[index] ?? 0) + rate * (clock.nowMs - beforeMs)
        before = new Map([...running].map(([index, { rate }]) => [index, rate]))
        beforeMs = clock.nowMs
        for (const pipe of pipes) expect(pipe.load).toBeLessThanOrEqual(1 + TOLERANCE)
      }
      expect(done).toEqual(graph.flows.map(() => 1))
      for (const [index, bytes] of passed.entries()) expect(bytes).toBeCloseTo(loads[index]?.[1] ?? NaN, 1)
      expect(pipes.map(({ count, load }) => [count, load])).toEqual(pipes.map(() => [0, 0]))
    }), { numRuns: 200 })
  })

  it('wait while a rate is 0, and go on when it is not', () => {
    const scene = new Scene()
    const pipe = scene.network.add(10)
    const doneMs: number[] = []
    const flow = scene.begin([pipe], 1000, { onDone: () => { doneMs.push(scene.clock.nowMs) } })
    scene.settle()
    scene.clock.at(40, () => { scene.network.setRate(pipe, 0) })
    scene.clock.at(140, () => {
      expect([flow.rate, flow.leftAt(140)]).toEqual([0, 600])
      scene.network.setRate(pipe, 20)
    })
    while (scene.clock.run(Infinity, 100));
    expect(doneMs).toEqual([170])
  })

  it('are counted to the moment at which they are called off, and then are over', () => {
    const scene = new Scene()
    const pipe = scene.network.add(10)
    const doneMs: string[] = []
    const begin = (name: string): Flow => scene.begin([pipe], 1000, { onDone: () => { doneMs.push(`${name} at ${scene.clock.nowMs}`) } })
    const [one, other] = [begin('one'), begin('other')]
    scene.settle()
    scene.clock.at(50, () => {
      expect(scene.network.end(one)).toBe(750)
      expect(scene.network.end(one)).toBe(0)
    })
    scene.settle(60)
    expect([one.rate, other.rate, pipe.count]).toEqual([0, 10, 1])
    while (scene.clock.run(Infinity, 100));
    expect(doneMs).toEqual(['other at 125'])
  })
})

describe('a large network', () => {
  const LINKS = 120

  /** Uplinks are the first half, downlinks the second. */
  function randomFlow (random: () => number): GraphFlow {
    return { passages: [Math.floor(random() * LINKS), LINKS + Math.floor(random() * LINKS)].map(pipe => ({ pipe, weight: 1 })), cap: Infinity }
  }

  it('comes to within 3 % of the fair rates in less than the time of a piece', () => {
    const scene = new Scene()
    const random = randomOf(1, 'large network')
    const rates = Array.from({ length: 2 * LINKS }, (_, index) => index % 5 === 0 ? 50 : 100)
    const flows = Array.from({ length: 3 * LINKS }, () => randomFlow(random))
    const built = scene.build({ rates, flows })
    const worst = (left: readonly number[]): number => {
      const expected = referenceOf({ rates, flows: left.map(index => flows[index] as GraphFlow) })
      return Math.max(...left.map((index, at) => Math.abs((built.flows[index]?.rate ?? NaN) / (expected[at] as number) - 1)))
    }
    scene.settle(30)
    expect(worst([...flows.keys()])).toBeLessThanOrEqual(LARGE_TOLERANCE)
    for (let index = 0; index < flows.length; index += 3) scene.network.end(built.flows[index] as Flow)
    scene.settle(30)
    expect(worst([...flows.keys()].filter(index => index % 3 > 0))).toBeLessThanOrEqual(LARGE_TOLERANCE)
  })

  it('carries less than a hundredth more than it can in the moments in which it settles, with other flows all the time', () => {
    const scene = new Scene()
    const { clock, network } = scene
    const random = randomOf(2, 'large network')
    const pipes = Array.from({ length: 2 * LINKS }, () => network.add(300_000))
    const keepOn = (): void => {
      scene.begin(randomFlow(random).passages.map(({ pipe }) => pipes[pipe] as Pipe), 4 * 1024 * 1024, { onDone: keepOn })
    }
    for (let count = 0; count < 4 * LINKS; count++) clock.at(random() * 50, keepOn)
    let [carried, excess, beforeMs] = [0, 0, 0]
    let loads: number[] = []
    while (clock.nowMs < 150 && clock.run(Infinity, 1)) {
      const forMs = clock.nowMs - beforeMs
      beforeMs = clock.nowMs
      for (const load of loads) {
        carried += load * forMs
        excess += Math.max(0, load - 1) * forMs
      }
      loads = pipes.map(({ load }) => load)
    }
    expect(carried / pipes.length / beforeMs).toBeGreaterThan(0.5)
    expect(excess / carried).toBeLessThan(0.01)
  })
})
