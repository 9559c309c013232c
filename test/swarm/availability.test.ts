import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Availability } from '../../src/swarm/availability.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'

const PIECES = 10
const steps = fc.array(fc.record({
  act: fc.constantFrom('joined' as const, 'left' as const, 'gained' as const, 'lost' as const),
  member: fc.nat(4),
  pieces: fc.uniqueArray(fc.nat(PIECES - 1))
}), { maxLength: 60 })

test('each counter equals the members that hold the piece, whoever comes, goes, gains and loses', () => {
  fc.assert(fc.property(steps, steps => {
    const availability = new Availability(PIECES)
    const members = new Map<number, Bitfield>()
    for (const { act, member, pieces } of steps) {
      const held = members.get(member)
      if (act === 'joined' && held === undefined) {
        const field = new Bitfield(PIECES)
        for (const piece of pieces) field.add(piece)
        members.set(member, field)
        availability.joined(field)
      } else if (held !== undefined && act === 'left') {
        members.delete(member)
        availability.left(held)
      } else if (held !== undefined && act !== 'joined') {
        for (const piece of pieces) {
          if (act === 'gained' && held.add(piece)) availability.gained(piece)
          if (act === 'lost' && held.remove(piece)) availability.lost(piece)
        }
      }
      for (let piece = 0; piece < PIECES; piece++) {
        const holders = [...members.values()].filter(field => field.has(piece)).length
        expect(availability.of(piece)).toBe(holders)
        expect(availability.given.has(piece)).toBe(holders > 0)
      }
    }
  }))
})

test.each([-1, PIECES, 1e9])('nobody holds piece %i of ten', piece => {
  expect(new Availability(PIECES).of(piece)).toBe(0)
})
