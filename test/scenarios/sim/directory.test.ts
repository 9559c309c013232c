import { describe, expect, it } from 'vitest'
import { SimWorld } from './sim-world.ts'
import type { SimHost } from '../../../scenarios/sim/host.ts'

const LAYER = { name: 'app/1', bytes: 1_000_000 }

function scenarioOf (count: number, more = ''): string {
  return `
groups:
  rack: { count: ${count}, up: 10MB/s, down: 10MB/s, latency: 1ms }
  desk: { count: 2, up: 10MB/s, down: 10MB/s, latency: 1ms, holds: [app] }
origin: { up: 10MB/s }
images: { app: [1MB] }
${more}`
}

function linked (scene: SimWorld, neighbours: number, seed = 1): SimHost[] {
  const hosts = [...scene.world.hosts.values()]
  scene.world.directory.link(hosts, neighbours, seed)
  return hosts
}

describe('links before the run', () => {
  it('are both ways, as many as asked for or more, and never more than twice as many', () => {
    for (const host of linked(new SimWorld(scenarioOf(100)), 8)) {
      expect(host.links.size).toBeGreaterThanOrEqual(8)
      expect(host.links.size).toBeLessThanOrEqual(16)
      expect(host.links.has(host)).toBe(false)
      for (const other of host.links) expect(other.links.has(host)).toBe(true)
    }
  })

  it('are the same for a seed, and others for another', () => {
    const names = (seed: number): string[] => linked(new SimWorld(scenarioOf(40)), 5, seed).map(({ links }) => [...links].map(({ name }) => name).join())
    expect(names(1)).toEqual(names(1))
    expect(names(2)).not.toEqual(names(1))
  })

  it('are to all where there are few, and to nobody where that is asked for', () => {
    const all = linked(new SimWorld(scenarioOf(2)), 20)
    expect(all.map(({ links }) => links.size)).toEqual([3, 3, 3, 3])
    expect(linked(new SimWorld(scenarioOf(2)), 0).map(({ links }) => links.size)).toEqual([0, 0, 0, 0])
  })
})

describe('opening a link', () => {
  /** When each of these calls ended, and whether it opened a link. */
  function calls (scene: SimWorld, from: string, others: readonly string[]): string[] {
    const ends: string[] = []
    for (const name of others) scene.world.directory.connect(scene.host(from), scene.host(name), isOpen => { ends.push(`${name} ${isOpen} ${scene.clock.nowMs}`) })
    return ends
  }

  it('takes five round trips and 8 ms of work, and is then there for both', () => {
    const scene = new SimWorld(scenarioOf(2))
    const ends = calls(scene, 'rack-1', ['rack-2'])
    scene.runTo(27)
    expect(ends).toEqual([])
    scene.runTo(100)
    expect(ends).toEqual(['rack-2 true 28'])
    expect([scene.host('rack-1').links.has(scene.host('rack-2')), scene.host('rack-2').links.has(scene.host('rack-1'))]).toEqual([true, true])
    expect(calls(scene, 'rack-1', ['rack-2'])).toEqual(['rack-2 true 100'])
  })

  it('is one call, whoever asks for it', () => {
    const scene = new SimWorld(scenarioOf(2))
    const ends = calls(scene, 'rack-1', ['rack-2', 'rack-2'])
    scene.runTo(100)
    expect(ends).toEqual(['rack-2 true 28', 'rack-2 true 28'])
  })

  it('fails at once where the process is dead, and after five seconds where nobody answers', () => {
    const scene = new SimWorld(scenarioOf(3))
    scene.host('rack-2').isUp = false
    scene.host('rack-3').isStalled = true
    const ends = calls(scene, 'rack-1', ['rack-2', 'rack-3'])
    const heal = scene.world.wire.cut(['desk'])
    ends.push(...calls(scene, 'rack-1', []))
    const cutOff = calls(scene, 'rack-1', ['desk-1'])
    scene.runTo(10_000)
    heal()
    expect(ends).toEqual(['rack-2 false 4', 'rack-3 false 5000'])
    expect(cutOff).toEqual(['desk-1 false 5000'])
    expect(scene.host('rack-1').links.size).toBe(0)
  })

  it('has eight calls under way at a time, and then the next', () => {
    const scene = new SimWorld(scenarioOf(20))
    const ends = calls(scene, 'rack-1', Array.from({ length: 19 }, (_, index) => `rack-${index + 2}`))
    scene.runTo(1000)
    expect(ends.map(end => end.split(' ')[2])).toEqual([...Array<string>(8).fill('28'), ...Array<string>(8).fill('56'), ...Array<string>(3).fill('84')])
  })

  it('turns down what would wait behind 128 others', () => {
    const scene = new SimWorld(scenarioOf(200))
    const ends = calls(scene, 'rack-1', Array.from({ length: 140 }, (_, index) => `rack-${index + 2}`))
    expect(ends).toEqual(['rack-138 false 0', 'rack-139 false 0', 'rack-140 false 0', 'rack-141 false 0'])
    scene.runTo(10_000)
    expect(ends).toHaveLength(140)
  })

  it('forgets nobody who waits behind calls that others have made meanwhile', () => {
    const scene = new SimWorld(scenarioOf(40))
    const names = Array.from({ length: 30 }, (_, index) => `rack-${index + 2}`)
    const ends = calls(scene, 'rack-1', names)
    // all but the last call us while they wait
    for (const name of names.slice(8, -1)) scene.link(scene.host('rack-1'), scene.host(name))
    scene.runTo(1000)
    expect(ends).toHaveLength(30)
    expect(ends.at(-1)).toBe('rack-31 true 56')
  })
})

describe('a walk of the DHT', () => {
  function find (scene: SimWorld): Array<{ readonly names: string[], readonly atMs: number }> {
    const found: Array<{ readonly names: string[], readonly atMs: number }> = []
    scene.world.directory.find(scene.host('rack-1'), LAYER, providers => { found.push({ names: providers.map(({ name }) => name).sort(), atMs: scene.clock.nowMs }) })
    return found
  }

  it('names who has announced the blob, after its hops', () => {
    const scene = new SimWorld(scenarioOf(3, 'discovery: { dhtHops: 4, hop: 6ms }'))
    linked(scene, 0)
    const found = find(scene)
    scene.runTo(1000)
    // four times a round trip of 4 ms and 6 ms of work
    expect(found).toEqual([{ names: ['desk-1', 'desk-2'], atMs: 40 }])
  })

  it('names a new holder ten seconds after it has the whole', () => {
    const scene = new SimWorld(scenarioOf(3))
    linked(scene, 0)
    scene.world.directory.provides(scene.host('rack-2'), LAYER)
    scene.runTo(9_000)
    const before = find(scene)
    scene.runTo(11_000)
    const after = find(scene)
    scene.runTo(12_000)
    expect([before[0]?.names, after[0]?.names]).toEqual([['desk-1', 'desk-2'], ['desk-1', 'desk-2', 'rack-2']])
  })

  it('names nobody on the other side of a partition', () => {
    const scene = new SimWorld(scenarioOf(3))
    linked(scene, 0)
    scene.world.wire.cut(['rack'])
    const found = find(scene)
    scene.runTo(5000)
    expect(found.map(({ names }) => names)).toEqual([[]])
  })

  it('ends with nothing after three seconds while the DHT is lost', () => {
    const scene = new SimWorld(scenarioOf(3, 'faults: [{ type: dht-loss, at: 0, for: 10s }]'))
    linked(scene, 0)
    const lost = find(scene)
    scene.runTo(10_000)
    const later = find(scene)
    scene.runTo(20_000)
    expect(lost).toEqual([{ names: [], atMs: 3000 }])
    expect(later[0]?.names).toEqual(['desk-1', 'desk-2'])
  })

  it('is no use to who is linked to all', () => {
    const scene = new SimWorld(scenarioOf(2))
    const host = scene.host('rack-1')
    expect(scene.world.directory.mayKnowMore(host)).toBe(true)
    for (const other of ['rack-2', 'desk-1', 'desk-2']) scene.link(host, scene.host(other))
    expect(scene.world.directory.mayKnowMore(host)).toBe(false)
  })
})
