import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DistantOwners } from '../../src/swarm/distant-owners.ts'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'
import { SessionScene } from '../support/session-scene.ts'

const DIGEST = 'sha256:scene'
const PIECES = 40

function seedOf (peer: string): OwnershipSeed {
  return new OwnershipSeed(DIGEST, peer)
}

it('rank as the same members would, whoever was added and taken away', () => {
  const change = fc.record({ isAdded: fc.boolean(), name: fc.nat(20).map(index => `peer ${index}`) })
  fc.assert(fc.property(fc.array(change, { maxLength: 60 }), changes => {
    const owners = new DistantOwners(seedOf, PIECES)
    const names = new Set<string>()
    for (const { isAdded, name } of changes) {
      if (isAdded) {
        owners.add(name)
        names.add(name)
      } else {
        owners.delete(name)
        names.delete(name)
      }
    }
    expect(owners.size).toBe(names.size)
    const self = seedOf('self')
    for (let piece = 0; piece < PIECES; piece++) {
      const isAbove = [...names].some(name => seedOf(name).rank(piece) > self.rank(piece))
      expect(owners.isAbove(self.rank(piece), piece)).toBe(isAbove)
    }
  }))
})

it('are no more than a bound', () => {
  const owners = new DistantOwners(seedOf, PIECES)
  for (let index = 0; index < 1000; index++) owners.add(`peer ${index}`)
  expect(owners.size).toBe(512)
})

it('are left what they own, until nothing has come for long', () => {
  const scene = new SessionScene(PIECES)
  const others = Array.from({ length: 30 }, (_, index) => `peer ${index}`)
  scene.session.knows([...others, 'self'])
  const read = new Set<number>()
  for (;;) {
    const [take] = scene.takes(0)
    if (take === undefined) break
    const [start = 0, end = 0] = take.slice(5).split('-').map(Number)
    for (let piece = start; piece < end; piece++) {
      read.add(piece)
      scene.came(piece, 'origin', 0)
    }
    scene.session.originEnded(start, end)
  }
  const self = seedOf('self')
  const seeds = others.map(name => seedOf(name))
  const owned = Array.from({ length: PIECES }, (_, piece) => piece).filter(piece => seeds.every(seed => seed.rank(piece) < self.rank(piece)))
  expect([...read].sort((a, b) => a - b)).toEqual(owned)
  expect(scene.takes(1500)).toEqual([])
  expect(scene.takes(1501)).not.toEqual([])
})
