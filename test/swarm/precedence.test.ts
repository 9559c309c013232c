import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Member } from '../../src/swarm/member.ts'
import { OwnershipSeed, standingOf } from '../../src/swarm/ownership.ts'
import { PieceGroups } from '../../src/swarm/piece-groups.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Precedence } from '../../src/swarm/precedence.ts'

const DIGEST = 'sha256:precedence'
const PIECES = 30
const NAMES = ['a', 'b', 'c', 'd', 'e']
const steps = fc.array(fc.record({ names: fc.subarray(NAMES), far: fc.subarray(NAMES, { maxLength: 2 }), isReader: fc.boolean() }), { maxLength: 20 })

function seedOf (peer: string): OwnershipSeed {
  return new OwnershipSeed(DIGEST, peer)
}

it('tells who ranks before us as if it had never been asked, whoever comes and goes', () => {
  const members = new Map(NAMES.map(name => [name, new Member(name, seedOf(name), PIECES, 0)]))
  const distant = new Map(NAMES.map(name => [name, { name: `far ${name}`, seed: seedOf(`far ${name}`), standing: standingOf(seedOf(`far ${name}`)) }]))
  const self = seedOf('self')
  const groups = new PieceGroups(PIECES * MIN_PIECE_LENGTH)
  fc.assert(fc.property(steps, steps => {
    const precedence = new Precedence({ self, pieces: PIECES, groups })
    for (const { names, far, isReader } of steps) {
      const contenders = names.flatMap(name => members.get(name) ?? [])
      const others = far.flatMap(name => distant.get(name) ?? [])
      precedence.among(contenders, others, isReader)
      for (let piece = 0; piece < PIECES; piece++) {
        const group = groups.of(piece)
        const isBefore = (seed: OwnershipSeed): boolean => !isReader || seed.rank(group) > self.rank(group)
        const isDistant = others.some(({ seed }) => isBefore(seed))
        const before = contenders.filter(({ ownership }) => isBefore(ownership)).sort((a, b) => b.ownership.rank(group) - a.ownership.rank(group))
        expect(precedence.before(piece)).toBe(isDistant ? undefined : before.length)
        expect(precedence.ranked.has(piece)).toBe(!isDistant)
        expect(precedence.own.has(piece)).toBe(!isDistant && before.length === 0)
        expect(precedence.owner(piece)).toBe(isDistant ? undefined : before[0])
      }
    }
  }))
})
