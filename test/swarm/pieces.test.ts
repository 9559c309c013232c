import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lastPieceStart, MAX_PIECE_LENGTH, MIN_PIECE_LENGTH, pieceCount, pieceLength, pieceSpan } from '../../src/swarm/pieces.ts'

const MIB = 2 ** 20
const size = fc.oneof(fc.nat(2 ** 31 - 1), fc.integer({ min: 0, max: 2 ** 45 }))

test('a piece length is a power of two within its bounds', () => {
  fc.assert(fc.property(size, size => {
    const length = pieceLength(size)
    expect(Number.isInteger(Math.log2(length))).toBe(true)
    expect(length).toBeGreaterThanOrEqual(MIN_PIECE_LENGTH)
    expect(length).toBeLessThanOrEqual(MAX_PIECE_LENGTH)
  }))
})

test('between the bounds a blob has more than 64 and at most 128 pieces', () => {
  fc.assert(fc.property(fc.integer({ min: 128 * MIN_PIECE_LENGTH + 1, max: 128 * MIB }), size => {
    const pieces = pieceCount(size)
    expect(pieces).toBeGreaterThan(64)
    expect(pieces).toBeLessThanOrEqual(128)
  }))
})

test('the last piece begins at a multiple of the length and holds the last byte', () => {
  fc.assert(fc.property(size, size => {
    const start = lastPieceStart(size)
    expect(start % pieceLength(size)).toBe(0)
    expect(size - start).toBeLessThanOrEqual(pieceLength(size))
    if (size > 0) expect(start).toBeLessThan(size)
  }))
})

test('the spans of the pieces lie end to end, are never empty, and are the whole blob', () => {
  fc.assert(fc.property(fc.nat(2 ** 31 - 1), size => {
    let at = 0
    for (let piece = 0; piece < pieceCount(size); piece++) {
      const { start, end } = pieceSpan(size, piece)
      expect(start).toBe(at)
      expect(end).toBeGreaterThan(start)
      expect(end - start).toBeLessThanOrEqual(pieceLength(size))
      at = end
    }
    expect(at).toBe(size)
  }), { numRuns: 30 })
})

test('the last span begins where the last piece does', () => {
  fc.assert(fc.property(size.filter(size => size > 0), size => {
    expect(pieceSpan(size, pieceCount(size) - 1)).toEqual({ start: lastPieceStart(size), end: size })
  }))
})

test.each([
  [0, 0],
  [1, 1],
  [MIN_PIECE_LENGTH, 1],
  [MIN_PIECE_LENGTH + 1, 2],
  [128 * MIN_PIECE_LENGTH, 128],
  [128 * MIN_PIECE_LENGTH + 1, 65],
  [128 * MIB + 1, 129],
  [512 * MIB, 512],
  [512 * MIB + 1, 257],
  [4096 * MIB, 2048],
  [4096 * MIB + 1, 1025],
  [2 ** 40, 2 ** 18]
])('a blob of %i bytes has %i pieces', (size, pieces) => {
  expect(pieceCount(size)).toBe(pieces)
})

test.each([
  [0, MIN_PIECE_LENGTH, 0],
  [1, MIN_PIECE_LENGTH, 0],
  [MIN_PIECE_LENGTH, MIN_PIECE_LENGTH, 0],
  [MIN_PIECE_LENGTH + 1, MIN_PIECE_LENGTH, MIN_PIECE_LENGTH],
  [128 * MIN_PIECE_LENGTH, MIN_PIECE_LENGTH, 127 * MIN_PIECE_LENGTH],
  [128 * MIN_PIECE_LENGTH + 1, 2 * MIN_PIECE_LENGTH, 128 * MIN_PIECE_LENGTH],
  [2 ** 40, MAX_PIECE_LENGTH, 2 ** 40 - MAX_PIECE_LENGTH]
])('a blob of %i bytes has pieces of %i, the last from %i', (size, length, start) => {
  expect(pieceLength(size)).toBe(length)
  expect(lastPieceStart(size)).toBe(start)
})
