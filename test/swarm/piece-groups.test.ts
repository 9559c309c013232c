import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PieceGroups } from '../../src/swarm/piece-groups.ts'
import { pieceCount, pieceLength } from '../../src/swarm/pieces.ts'

const MIB = 1024 * 1024

describe('a group', () => {
  it.each([
    [0, 4],
    [1, 4],
    [16 * MIB, 4],
    [16 * MIB + 1, 2],
    [32 * MIB, 2],
    [32 * MIB + 1, 1],
    [128 * MIB, 1],
    [128 * MIB + 1, 2],
    [512 * MIB, 2],
    [512 * MIB + 1, 1],
    [20 * 1024 * MIB, 1]
  ])('of a blob of %i bytes has %i pieces', (size, length) => {
    expect(new PieceGroups(size).length).toBe(length)
  })

  it('is one of neighbours, is 512 KiB, 2 MiB or one piece, and holds each piece once', () => {
    fc.assert(fc.property(fc.nat(2 ** 34), fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), (size, part) => {
      const groups = new PieceGroups(size)
      const piece = Math.floor(part * pieceCount(size))
      const group = groups.of(piece)
      const last = groups.last(piece)
      expect(last - groups.length).toBeLessThan(piece)
      expect(last).toBeGreaterThanOrEqual(piece)
      expect([groups.of(last), groups.of(last + 1)]).toEqual([group, group + 1])
      expect(groups.length === 1 || [MIB / 2, 2 * MIB].includes(groups.length * pieceLength(size))).toBe(true)
    }))
  })
})
