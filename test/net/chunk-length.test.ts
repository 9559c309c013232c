import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nextChunk } from '../../src/net/chunk-length.ts'
import { MAX_CHUNK_LENGTH } from '../../src/net/swarm-limits.ts'
import { MAX_PIECE_LENGTH } from '../../src/swarm/pieces.ts'

const KIB = 1024

test('a piece goes in chunks of about the same length, all of which are hardly longer than they should be', () => {
  const chunksOf = (left: number, aim: number): number[] => {
    const next = nextChunk(left, aim)
    return left === next ? [next] : [next, ...chunksOf(left - next, aim)]
  }
  expect(chunksOf(128 * KIB, 62_500)).toEqual([64 * KIB, 64 * KIB])
  expect(chunksOf(128 * KIB, 128 * KIB)).toEqual([128 * KIB])
  fc.assert(fc.property(fc.integer({ min: 1, max: MAX_PIECE_LENGTH }), fc.integer({ min: 16 * KIB, max: MAX_CHUNK_LENGTH }), (length, aim) => {
    const chunks = chunksOf(length, aim)
    expect(chunks.reduce((sum, bytes) => sum + bytes, 0)).toBe(length)
    expect(Math.max(...chunks)).toBeLessThanOrEqual(Math.min(MAX_CHUNK_LENGTH, aim * 1.1 + 1))
    expect(Math.max(...chunks) - Math.min(...chunks)).toBeLessThanOrEqual(chunks.length)
  }))
})
