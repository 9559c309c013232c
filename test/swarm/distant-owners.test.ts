import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DistantOwners } from '../../src/swarm/distant-owners.ts'
import { OwnershipSeed, standingOf } from '../../src/swarm/ownership.ts'
import { PieceGroups } from '../../src/swarm/piece-groups.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { foremostOf, READERS } from '../../src/swarm/readers.ts'
import { SessionScene } from '../support/session-scene.ts'

const DIGEST = 'sha256:scene'
const PIECES = 96
/** Until nobody else is thought to be heard of, in milliseconds. */
const SETTLE_MS = 30

function seedOf (peer: string): OwnershipSeed {
  return new OwnershipSeed(DIGEST, peer)
}

/** The highest first. */
function byStanding (names: Iterable<string>): string[] {
  return [...names].sort((one, other) => standingOf(seedOf(other)) - standingOf(seedOf(one)))
}

it('are those of them that stand highest, whoever was named, met and dismissed', () => {
  const change = fc.record({ what: fc.constantFrom('named', 'named', 'met', 'dismissed'), name: fc.nat(20).map(index => `peer ${index}`) })
  fc.assert(fc.property(fc.array(change, { maxLength: 60 }), changes => {
    const owners = new DistantOwners(seedOf)
    const names = new Set<string>()
    const dismissed = new Set<string>()
    for (const { what, name } of changes) {
      if (what === 'named') {
        owners.add(name)
        if (!dismissed.has(name)) names.add(name)
      } else {
        names.delete(name)
        if (what === 'met') {
          owners.met(name)
          dismissed.delete(name)
        } else {
          owners.dismiss(name)
          dismissed.add(name)
        }
      }
      expect(owners.foremost.map(({ name }) => name)).toEqual(byStanding(names).slice(0, READERS))
    }
    expect(owners.size).toBe(names.size)
  }))
})

it('are no more than a bound: those that stand highest, in whatever order they were named', () => {
  const names = Array.from({ length: 1000 }, (_, index) => `peer ${index}`)
  fc.assert(fc.property(fc.shuffledSubarray(names, { minLength: names.length }), shuffled => {
    const owners = new DistantOwners(seedOf)
    for (const name of shuffled) owners.add(name)
    expect(owners.size).toBe(64)
    const highest = byStanding(names)
    expect(owners.foremost.map(({ name }) => name)).toEqual(highest.slice(0, READERS))
    for (const name of highest.slice(0, 64 - READERS)) owners.dismiss(name)
    expect(owners.foremost.map(({ name }) => name)).toEqual(highest.slice(64 - READERS, 64))
  }), { numRuns: 5 })
})

it('forgets who was dismissed first when there are too many', () => {
  const owners = new DistantOwners(seedOf)
  for (let index = 0; index < 65; index++) owners.dismiss(`peer ${index}`)
  for (const index of [0, 1, 64]) owners.add(`peer ${index}`)
  expect(owners.foremost.map(({ name }) => name)).toEqual(['peer 0'])
})

it('are left what they own, until nothing has come for long', () => {
  const groups = new PieceGroups(PIECES * MIN_PIECE_LENGTH)
  const others = Array.from({ length: 5 }, (_, index) => `peer ${index}`)
  const scene = new SessionScene(PIECES)
  scene.session.knows([...others, 'self'])
  const read = new Set<number>()
  expect(scene.takes(0)).toEqual([])
  for (;;) {
    const [take] = scene.takes(SETTLE_MS)
    if (take === undefined) break
    const [start = 0, end = 0] = take.slice(5).split('-').map(Number)
    for (let piece = start; piece < end; piece++) {
      read.add(piece)
      scene.came(piece, 'origin', SETTLE_MS)
    }
    scene.session.originEnded(start, end)
  }
  const self = seedOf('self')
  const seeds = others.map(name => seedOf(name))
  const owned = Array.from({ length: PIECES }, (_, piece) => piece).filter(piece => seeds.every(seed => seed.rank(groups.of(piece)) < self.rank(groups.of(piece))))
  expect(owned).not.toEqual([])
  expect([...read].sort((a, b) => a - b)).toEqual(owned)
  expect(scene.takes(SETTLE_MS + 1500)).toEqual([])
  expect(scene.takes(SETTLE_MS + 1501)).not.toEqual([])
})

it('own nothing any more once nobody has reached them, whoever names them again', () => {
  const scene = new SessionScene(PIECES)
  const [higher = ''] = Array.from({ length: 20 }, (_, index) => `peer ${index}`).filter(name => seedOf(name).rank(0) > seedOf('self').rank(0))
  scene.session.knows([higher])
  scene.session.unreachable(higher)
  scene.session.knows([higher])
  expect(scene.session.foremost).toEqual([])
  expect(scene.takes(0)).toEqual(['take 0-1'])
})

it('are those with whom we take part no longer, if they go on and may read', () => {
  const scene = new SessionScene(PIECES)
  scene.joined('reads', [], { readsOrigin: true })
  scene.joined('does not', [], { readsOrigin: false })
  scene.joined('has all', 'all', { readsOrigin: true })
  scene.joined('dies', [], { readsOrigin: true })
  for (const name of ['reads', 'does not', 'has all']) scene.session.gone(name, { goesOn: true })
  scene.session.gone('dies')
  scene.session.knows(['dies'])
  expect(scene.session.foremost).toEqual(['reads'])
  scene.joined('dies', [], { readsOrigin: true })
  expect(scene.session.foremost).toEqual(byStanding(['reads', 'dies']))
})

it('of equal standing with members are named together, the highest first', () => {
  const scene = new SessionScene(PIECES)
  const names = Array.from({ length: 20 }, (_, index) => `peer ${index}`)
  for (const name of names.slice(0, 10)) scene.joined(name, [], { readsOrigin: true })
  scene.session.knows(names)
  expect(scene.session.foremost).toEqual(byStanding(names).slice(0, READERS))
  expect(scene.session.foremost).toEqual(foremostOf(names.map(name => ({ name, standing: standingOf(seedOf(name)) }))).map(({ name }) => name))
})
