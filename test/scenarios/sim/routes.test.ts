import { describe, expect, it } from 'vitest'
import { SimWorld } from './sim-world.ts'
import type { Flow } from '../../../scenarios/sim/network.ts'

/** Bytes per millisecond that each flow has when all are under way. */
function rates (scene: SimWorld, flows: readonly Flow[]): number[] {
  scene.runTo(scene.clock.nowMs)
  return flows.map(({ rate }) => Math.round(10 * rate) / 10)
}

function between (scene: SimWorld, from: string, to: string): Flow {
  return scene.routes.between(scene.host(from), scene.host(to), 1e12, () => {})
}

function fromOrigin (scene: SimWorld, to: string): Flow {
  return scene.routes.fromOrigin(scene.host(to), 1e12, () => {})
}

describe('bytes between hosts', () => {
  it('pass the uplink of the one and the downlink of the other', () => {
    const scene = new SimWorld('{ groups: { a: { count: 3, up: 4MB/s, down: 10MB/s } }, origin: { up: 1MB/s }, images: { app: [1MB] } }')
    const flows = [between(scene, 'a-1', 'a-2'), between(scene, 'a-1', 'a-3')]
    expect(rates(scene, flows)).toEqual([2000, 2000])
    expect([scene.host('a-1').up.load, scene.host('a-2').down.load]).toEqual([1, 0.2])
  })

  it('are held by the limits of the agents', () => {
    const scene = new SimWorld('{ groups: { a: { count: 3, up: 10MB/s, down: 10MB/s } }, origin: { up: 9MB/s }, images: { app: [1MB] }, agent: { uploadLimit: 1MB/s, downloadLimit: 2MB/s } }')
    expect(rates(scene, [between(scene, 'a-1', 'a-2'), fromOrigin(scene, 'a-3')])).toEqual([1000, 2000])
  })

  it('share the path of their groups, each direction by itself, and not with those within a group', () => {
    const scene = new SimWorld(`
groups:
  a: { count: 4, up: 10MB/s, down: 10MB/s, uplink: { up: 2MB/s, down: 4MB/s } }
  b: { count: 4, up: 10MB/s, down: 10MB/s }
origin: { up: 10MB/s }
images: { app: [1MB] }
`)
    const flows = [between(scene, 'a-1', 'b-1'), between(scene, 'a-2', 'b-2'), between(scene, 'b-3', 'a-3'), fromOrigin(scene, 'a-4'), between(scene, 'a-3', 'a-1')]
    expect(rates(scene, flows)).toEqual([1000, 1000, 2000, 2000, 10_000])
  })

  it('pass a path between two groups its way, or against it', () => {
    const scene = new SimWorld(`
groups:
  a: { count: 1, up: 10MB/s, down: 10MB/s }
  b: { count: 1, up: 10MB/s, down: 10MB/s }
  c: { count: 1, up: 10MB/s, down: 10MB/s }
paths: [{ from: a, to: b, up: 1MB/s, down: 3MB/s }]
origin: { up: 10MB/s }
images: { app: [1MB] }
`)
    expect(rates(scene, [between(scene, 'a-1', 'b-1'), between(scene, 'b-1', 'a-1'), between(scene, 'c-1', 'b-1')])).toEqual([1000, 3000, 9000])
  })

  it('take the air twice from laptop to laptop, once from a wired host and from the origin', () => {
    const yaml = `
groups:
  laptops: { count: 3, up: 20MB/s, down: 20MB/s, medium: wifi }
  desk: { count: 1, up: 20MB/s, down: 20MB/s }
media: { wifi: { rate: 8MB/s } }
origin: { up: 20MB/s }
images: { app: [1MB] }
`
    const alone = (begin: (scene: SimWorld) => Flow): number => {
      const scene = new SimWorld(yaml)
      return rates(scene, [begin(scene)])[0] as number
    }
    expect(alone(scene => between(scene, 'laptops-1', 'laptops-2'))).toBe(4000)
    expect(alone(scene => between(scene, 'desk-1', 'laptops-2'))).toBe(8000)
    expect(alone(scene => between(scene, 'laptops-1', 'desk-1'))).toBe(8000)
    expect(alone(scene => fromOrigin(scene, 'laptops-1'))).toBe(8000)
    const together = new SimWorld(yaml)
    expect(rates(together, [between(together, 'laptops-1', 'laptops-2'), between(together, 'desk-1', 'laptops-3')])).toEqual([2666.7, 2666.7])
  })

  it('from the origin share its link', () => {
    const scene = new SimWorld('{ groups: { a: { count: 4, up: 10MB/s, down: 10MB/s } }, origin: { up: 6MB/s }, images: { app: [1MB] } }')
    expect(rates(scene, [fromOrigin(scene, 'a-1'), fromOrigin(scene, 'a-2'), fromOrigin(scene, 'a-3')])).toEqual([2000, 2000, 2000])
  })
})

describe('packet loss', () => {
  const lossy = (loss: string, other = '0'): SimWorld => new SimWorld(`
groups:
  a: { count: 2, up: 1GB/s, down: 1GB/s, latency: 5ms, loss: ${loss} }
  b: { count: 2, up: 1GB/s, down: 1GB/s, latency: 15ms, loss: ${other} }
origin: { up: 1GB/s, latency: 20ms }
images: { app: [1MB] }
`)

  it('bounds a flow to 1.22 x segment / (round trip x root of the loss)', () => {
    // 1.22 x 1448 / (20 ms x sqrt(0.0199)), as each end loses 1 %: 626 bytes per millisecond
    const scene = lossy('1%')
    expect(rates(scene, [between(scene, 'a-1', 'a-2')])).toEqual([626.1])
    // 1.22 x 1448 / (40 ms x sqrt(0.01)) and 1.22 x 1448 / (50 ms x sqrt(0.01))
    expect(rates(scene, [between(scene, 'a-1', 'b-1'), between(scene, 'b-1', 'a-1'), fromOrigin(scene, 'a-1')])).toEqual([441.6, 441.6, 353.3])
  })

  it('of both ends adds up, and without any there is no bound', () => {
    // 1.22 x 1448 / (40 ms x sqrt(1 - 0.99 x 0.98))
    const scene = lossy('1%', '2%')
    expect(rates(scene, [between(scene, 'a-1', 'b-1')])).toEqual([255.8])
    const sound = lossy('0')
    expect(rates(sound, [between(sound, 'a-1', 'b-1')])).toEqual([1_000_000])
  })
})

describe('nearness', () => {
  it('is the same zone where both have one, else no way that is long beside the one at home', () => {
    const scene = new SimWorld(`
groups:
  a: { count: 1, up: 1MB/s, down: 1MB/s, latency: 1ms, zone: one }
  b: { count: 1, up: 1MB/s, down: 1MB/s, latency: 1ms, zone: two }
  c: { count: 1, up: 1MB/s, down: 1MB/s, latency: 50ms, zone: one }
  d: { count: 1, up: 1MB/s, down: 1MB/s, latency: 24ms }
  e: { count: 1, up: 1MB/s, down: 1MB/s, latency: 26ms }
origin: { up: 1MB/s }
images: { app: [1MB] }
`)
    const near = (one: string, other: string): boolean => scene.routes.isNear(scene.host(`${one}-1`).group, scene.host(`${other}-1`).group)
    // a to d is 50 ms there and back, a to e 54; at home it is 4, and 8 x 4 + 20 = 52
    expect([near('a', 'b'), near('a', 'c'), near('a', 'd'), near('a', 'e'), near('e', 'a')]).toEqual([false, true, true, false, true])
  })
})
