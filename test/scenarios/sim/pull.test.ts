import { describe, expect, it } from 'vitest'
import { SimPull } from '../../../scenarios/sim/pull.ts'
import { simRun, toldOf } from './sim-run.ts'
import { SimWorld } from './sim-world.ts'

const MANIFEST_BYTES = 8192

/** A host that pulls alone from the origin, step by step. */
function pulling (layers: string, { parallelLayers = 3 } = {}): { readonly scene: SimWorld, readonly pull: SimPull, readonly done: number[] } {
  const scene = new SimWorld(`
groups: { rack: { count: 1, up: 10MB/s, down: 10MB/s } }
origin: { up: 10MB/s }
images: { app: ${layers} }
pulls: [{ parallelLayers: ${parallelLayers} }]
`)
  const done: number[] = []
  const pull = new SimPull(scene.world, scene.host('rack-1'), { onDone: () => { done.push(scene.clock.nowMs) }, onFailed: () => { done.push(NaN) } })
  return { scene, pull, done }
}

/** The layers under way, each time they are others. */
function underWay (scene: SimWorld, pull: SimPull): string[][] {
  const seen: string[][] = []
  const host = scene.host('rack-1')
  while (!pull.isOver && scene.clock.run(60_000, 1)) {
    for (const part of host.parts.values()) part.tick()
    const now = [...host.parts.values()].filter(({ isFetching }) => isFetching).map(({ layer }) => layer.name)
    if (now.length > 0 && now.join() !== seen.at(-1)?.join()) seen.push(now)
  }
  return seen
}

describe('a pull', () => {
  it('has the manifest first, then layers in their order, so many at a time', () => {
    for (const parallelLayers of [1, 2, 3]) {
      const { scene, pull, done } = pulling('[1MB, 1MB, 1MB, 1MB, 1MB]', { parallelLayers })
      pull.start()
      const seen = underWay(scene, pull)
      expect(seen[0]).toEqual(['manifest of app/1 app/2 app/3 app/4 app/5'])
      expect(Math.max(...seen.slice(1).map(({ length }) => length))).toBe(parallelLayers)
      expect([...new Set(seen.slice(1).flat())]).toEqual(['app/1', 'app/2', 'app/3', 'app/4', 'app/5'])
      expect(done).toHaveLength(1)
    }
  })

  it('fetches nothing that the host holds', async () => {
    const { scene, pull, done } = pulling('[1MB, 2MB]')
    expect(pull.bytes).toBe(3e6 + MANIFEST_BYTES)
    scene.host('rack-1').stored.add('app/2')
    expect(pull.bytes).toBe(1e6 + MANIFEST_BYTES)
    pull.start()
    expect(underWay(scene, pull).flat()).not.toContain('app/2')
    expect(done).toHaveLength(1)
    const run = await simRun(`
groups: { rack: { count: 2, up: 10MB/s, down: 10MB/s, holds: [{ image: app, share: 50% }] } }
origin: { up: 10MB/s }
images: { app: [1MB] }
`)
    expect(toldOf(run, 'started').map(([, bytes]) => bytes).sort()).toEqual([0, 1e6 + MANIFEST_BYTES])
    expect(run.result.figures['done.share']).toBe(1)
  })

  it('needs no origin where another host holds the image, its manifest included', async () => {
    const run = await simRun(`
groups:
  rack: { count: 3, up: 10MB/s, down: 10MB/s }
  desk: { count: 1, up: 10MB/s, down: 10MB/s, holds: [app] }
images: { app: [1MB, 2MB] }
pulls: [{ groups: [rack] }]
`)
    expect(run.result.hosts.filter(({ group }) => group === 'rack').map(({ outcome, fromMembers }) => [outcome, fromMembers])).toEqual(Array(3).fill(['done', 3e6 + MANIFEST_BYTES]))
  })

  it('is tried again after 10, 20, 40, 80 and 160 s, and then has failed', async () => {
    const run = await simRun(`
limit: 20m
groups:
  rack: { count: 2, up: 10MB/s, down: 10MB/s }
  desk: { count: 1, up: 10MB/s, down: 10MB/s, holds: [app] }
images: { app: [10MB] }
pulls: [{ groups: [rack] }]
faults: [{ type: kill, groups: [desk], hosts: 1, at: 100ms }]
`)
    const failed = toldOf(run, 'failed')
    expect(failed.map(([host, reason]) => [host, reason])).toEqual([['rack-1', 'nobody had app/1'], ['rack-2', 'nobody had app/1']])
    for (const [,, atMs] of failed) {
      expect(atMs).toBeGreaterThan(310_000)
      // each of six tries ends within two seconds: members are waited for, then those whom the DHT names
      expect(atMs).toBeLessThan(322_000)
    }
    expect(run.result.figures).toMatchObject({ 'failed.hosts': 2, 'done.share': 0 })
  })

  it('that is tried again keeps what had come', async () => {
    const run = await simRun(`
limit: 20m
groups: { rack: { count: 1, up: 10MB/s, down: 10MB/s } }
origin: { up: 10MB/s, outages: [{ at: 600ms, for: 5s }] }
images: { app: [10MB] }
`)
    expect(run.result.figures['done.share']).toBe(1)
    expect(run.result.figures['completion.max']).toBeGreaterThan(10_000)
    expect(toldOf(run, 'received').reduce((sum, [,, bytes]) => sum + bytes, 0)).toBe(10e6 + MANIFEST_BYTES)
  })
})
