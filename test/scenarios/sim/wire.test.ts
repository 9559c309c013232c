import { describe, expect, it } from 'vitest'
import { LINK_PATIENCE_MS, pathsBetween } from '../../../scenarios/sim/wire.ts'
import { SimWorld } from './sim-world.ts'

const HERE_AND_THERE = `
groups:
  here: { count: 3, up: 10MB/s, down: 10MB/s, latency: 1ms }
  there: { count: 2, up: 10MB/s, down: 10MB/s, latency: 5ms, uplink: { latency: 20ms } }
origin: { up: 10MB/s, latency: 7ms }
images: { app: [1MB] }
`

/** Two hosts here and one there, and what has been heard: by whom, what, when. */
function wired (): { readonly scene: SimWorld, readonly heard: string[], readonly tell: (from: string, to: string, text: string) => void } {
  const scene = new SimWorld(HERE_AND_THERE)
  const heard: string[] = []
  const tell = (from: string, to: string, text: string): void => {
    scene.world.wire.tell(scene.host(from), scene.host(to), 10, () => { heard.push(`${to} ${text} ${scene.clock.nowMs}`) })
  }
  return { scene, heard, tell }
}

describe('messages', () => {
  it('take the way of both hosts and all that lies between', () => {
    const { scene, heard, tell } = wired()
    tell('here-1', 'here-2', 'near')
    tell('here-1', 'there-1', 'far')
    tell('there-1', 'there-2', 'within')
    scene.runTo(100)
    expect(heard).toEqual(['here-2 near 2', 'there-2 within 10', 'there-1 far 26'])
    expect([scene.host('here-1'), scene.host('there-1')].map(({ group }) => scene.world.wire.originLatencyMs(group))).toEqual([8, 32])
  })

  it('from one to another come in the order in which they were said', () => {
    const { scene, heard, tell } = wired()
    const said = ['a', 'b', 'c', 'd']
    for (const [index, text] of said.entries()) scene.clock.at(Math.floor(index / 2), () => { tell('here-1', 'there-1', text) })
    scene.runTo(100)
    expect(heard).toEqual(['there-1 a 26', 'there-1 b 26', 'there-1 c 27', 'there-1 d 27'])
  })

  it('are counted when they are said, each to each', () => {
    const { scene, tell } = wired()
    tell('here-1', 'here-2', 'one')
    scene.world.wire.tellAll(scene.host('here-1'), [scene.host('here-2'), scene.host('there-1')], 25, () => {})
    expect(scene.controlBytes).toBe(60)
    scene.host('here-1').isUp = false
    tell('here-1', 'here-2', 'by the dead')
    scene.world.wire.tellAll(scene.host('here-1'), [scene.host('here-2')], 25, () => {})
    expect(scene.controlBytes).toBe(60)
  })

  it('to many are heard by each after its own way', () => {
    const { scene, heard } = wired()
    const receivers = ['there-1', 'here-2', 'here-3', 'there-2'].map(name => scene.host(name))
    scene.world.wire.tellAll(scene.host('here-1'), receivers, 1, to => { heard.push(`${to.name} ${scene.clock.nowMs}`) })
    scene.runTo(100)
    expect(heard).toEqual(['here-2 2', 'here-3 2', 'there-1 26', 'there-2 26'])
  })

  it('to who has died meanwhile are lost, also when it is there again', () => {
    const { scene, heard, tell } = wired()
    const other = scene.host('here-2')
    tell('here-1', 'here-2', 'to an earlier life')
    scene.world.wire.tellAll(scene.host('here-1'), [other], 1, () => { heard.push('one of many') })
    scene.clock.at(1, () => { other.life++ })
    scene.clock.at(3, () => { tell('here-1', 'here-2', 'to this life') })
    scene.clock.at(6, () => { tell('here-1', 'here-2', 'to a dead one') })
    scene.clock.at(7, () => { other.isUp = false })
    scene.runTo(100)
    expect(heard).toEqual(['here-2 to this life 5'])
  })

  it('to who stalls are heard when it goes on', () => {
    const { scene, heard, tell } = wired()
    const other = scene.host('here-2')
    other.isStalled = true
    tell('here-1', 'here-2', 'first')
    tell('here-3', 'here-2', 'second')
    scene.runTo(50)
    expect(heard).toEqual([])
    for (const hear of other.unheard) hear()
    expect(heard).toEqual(['here-2 first 50', 'here-2 second 50'])
  })
})

describe('a partition', () => {
  it('holds back what crosses it until it ends, in order, and nothing else', () => {
    const { scene, heard, tell } = wired()
    const heal = scene.world.wire.cut(['there'])
    for (const text of ['a', 'b']) tell('here-1', 'there-1', text)
    tell('there-1', 'there-2', 'within')
    scene.clock.at(1000, heal)
    scene.runTo(2000)
    expect(heard).toEqual(['there-2 within 10', 'there-1 a 1000', 'there-1 b 1000'])
  })

  it('loses what has waited as long as a link lasts without an answer', () => {
    const { scene, heard, tell } = wired()
    const heal = scene.world.wire.cut(['there'])
    tell('here-1', 'there-1', 'too old')
    scene.clock.at(100, () => { tell('here-1', 'there-1', 'young enough') })
    scene.clock.at(26 + LINK_PATIENCE_MS, heal)
    scene.runTo(2 * LINK_PATIENCE_MS)
    expect(heard).toEqual([`there-1 young enough ${26 + LINK_PATIENCE_MS}`])
  })

  it('does not make what waits younger by ending while another goes on', () => {
    const { scene, heard, tell } = wired()
    const [heal, healOther] = [scene.world.wire.cut(['there']), scene.world.wire.cut(['here'])]
    tell('here-1', 'there-1', 'too old')
    scene.clock.at(20_000, heal)
    scene.clock.at(40_000, healOther)
    scene.runTo(50_000)
    expect(heard).toEqual([])
  })

  it('cuts groups off from all others and the origin, in both directions', () => {
    const { wire } = new SimWorld(HERE_AND_THERE).world
    const heal = wire.cut(['there'])
    expect([['here', 'there'], ['there', 'here'], ['there', 'origin'], ['here', 'origin'], ['there', 'there']].map(([one = '', other = '']) => wire.isCut(one, other))).toEqual([true, true, true, false, false])
    heal()
    expect(wire.isCut('here', 'there')).toBe(false)
  })
})

describe('paths between groups', () => {
  it('are those from one to the other, either way, and those to all others; within a group there are none', () => {
    const { scenario } = new SimWorld(`
groups:
  a: { count: 1, up: 1MB/s, down: 1MB/s, uplink: { latency: 1ms } }
  b: { count: 1, up: 1MB/s, down: 1MB/s }
  c: { count: 1, up: 1MB/s, down: 1MB/s }
paths:
  - { from: b, to: c, latency: 2ms }
  - { from: c, to: origin, latency: 4ms }
origin: { up: 1MB/s }
images: { app: [1MB] }
`).world
    const latency = (from: string, to: string): number => pathsBetween(scenario, from, to).reduce((sum, path) => sum + path.latencyMs, 0)
    expect([latency('a', 'a'), latency('a', 'b'), latency('b', 'a'), latency('b', 'c'), latency('c', 'b'), latency('a', 'origin'), latency('c', 'origin'), latency('b', 'origin')]).toEqual([0, 1, 1, 2, 2, 1, 4, 0])
  })
})
