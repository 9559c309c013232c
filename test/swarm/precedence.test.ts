import fc from 'fast-check'
import { expect, it } from 'vitest'
import { DistantOwners } from '../../src/swarm/distant-owners.ts'
import { Member } from '../../src/swarm/member.ts'
import { OwnershipSeed } from '../../src/swarm/ownership.ts'
import { Precedence } from '../../src/swarm/precedence.ts'

const DIGEST = 'sha256:precedence'
const PIECES = 30
const NAMES = ['a', 'b', 'c', 'd', 'e']
const steps = fc.array(fc.oneof(
  fc.record({ act: fc.constantFrom('knows' as const, 'forgets' as const), names: fc.subarray(NAMES, { maxLength: 2 }) }),
  fc.record({ act: fc.constant('among' as const), names: fc.subarray(NAMES) })
), { maxLength: 20 })

function seedOf (peer: string): OwnershipSeed {
  return new OwnershipSeed(DIGEST, peer)
}

it.each([false, true])('tells who ranks before us as if it had never been asked, whoever comes and goes; a leech: %s', isLeech => {
  const members = new Map(NAMES.map(name => [name, new Member(name, seedOf(name), PIECES, 0)]))
  const self = seedOf('self')
  fc.assert(fc.property(steps, steps => {
    const distant = new DistantOwners(seedOf, PIECES)
    const precedence = new Precedence({ self, distant, isLeech, pieces: PIECES })
    const far = new Set<string>()
    for (const { act, names } of steps) {
      if (act !== 'among') {
        for (const name of names) {
          if (act === 'knows') far.add(`far ${name}`)
          else far.delete(`far ${name}`)
          if (act === 'knows') distant.add(`far ${name}`)
          else distant.delete(`far ${name}`)
        }
        continue
      }
      const contenders = names.flatMap(name => members.get(name) ?? [])
      precedence.among(contenders)
      for (let piece = 0; piece < PIECES; piece++) {
        const rank = self.rank(piece)
        const isDistant = [...far].some(name => seedOf(name).rank(piece) > rank)
        const before = contenders.filter(({ ownership }) => isLeech || ownership.rank(piece) > rank).sort((a, b) => b.ownership.rank(piece) - a.ownership.rank(piece))
        expect(precedence.before(piece)).toBe(isDistant ? undefined : before.length)
        expect(precedence.ranked.has(piece)).toBe(!isDistant)
        expect(precedence.own.has(piece)).toBe(!isDistant && before.length === 0)
        expect(precedence.owner(piece)).toBe(isDistant ? undefined : before[0])
      }
    }
  }))
})
