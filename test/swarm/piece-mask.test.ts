import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { PieceMask } from '../../src/swarm/piece-mask.ts'

const sets = fc.integer({ min: 1, max: 100 }).chain(length => {
  const pieces = fc.uniqueArray(fc.nat(length - 1), { maxLength: length })
  return fc.record({ length: fc.constant(length), a: pieces, b: pieces, c: pieces })
})

function fieldOf (length: number, pieces: readonly number[]): Bitfield {
  const field = new Bitfield(length)
  for (const piece of pieces) field.add(piece)
  return field
}

function maskOf (length: number, pieces: readonly number[]): PieceMask {
  const mask = new PieceMask(length)
  for (const piece of pieces) mask.add(piece)
  return mask
}

function piecesOf (mask: PieceMask): number[] {
  const pieces: number[] = []
  for (let piece = mask.next(0); piece !== -1; piece = mask.next(piece + 1)) pieces.push(piece)
  return pieces
}

function sorted (pieces: Iterable<number>): number[] {
  return [...pieces].sort((a, b) => a - b)
}

describe('a mask', () => {
  it('holds what a set holds to which the same was done', () => {
    fc.assert(fc.property(sets, ({ length, a, b, c }) => {
      const mask = maskOf(length, a)
      expect(piecesOf(mask)).toEqual(sorted(a))
      mask.unite(fieldOf(length, b))
      expect(piecesOf(mask)).toEqual(sorted(new Set([...a, ...b])))
      mask.without(fieldOf(length, c))
      expect(piecesOf(mask)).toEqual(sorted(new Set([...a, ...b].filter(piece => !c.includes(piece)))))
      for (const piece of c) mask.add(piece)
      for (const piece of a) mask.delete(piece)
      expect(piecesOf(mask)).toEqual(sorted(new Set([...b, ...c].filter(piece => !a.includes(piece)))))
      expect(piecesOf(mask.clear())).toEqual([])
      expect(piecesOf(mask.fill())).toEqual(Array.from({ length }, (_, piece) => piece))
    }))
  })

  it('united with a field but for some pieces keeps or lacks those as before', () => {
    fc.assert(fc.property(sets, ({ length, a, b, c }) => {
      const mask = maskOf(length, a)
      mask.unite(fieldOf(length, b), new Set(c))
      expect(piecesOf(mask)).toEqual(sorted(new Set([...a, ...b.filter(piece => !c.includes(piece))])))
    }))
  })

  it('within one or two others holds what is in it and in one of them', () => {
    fc.assert(fc.property(sets, ({ length, a, b, c }) => {
      const [one, other] = [maskOf(length, b), maskOf(length, c)]
      expect(piecesOf(new PieceMask(length).assign(maskOf(length, a)).within(one))).toEqual(sorted(a.filter(piece => b.includes(piece))))
      expect(piecesOf(maskOf(length, a).within(one, other))).toEqual(sorted(a.filter(piece => b.includes(piece) || c.includes(piece))))
    }))
  })
})
