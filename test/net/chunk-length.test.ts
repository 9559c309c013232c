import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ChunkLength, nextChunk } from '../../src/net/chunk-length.ts'
import { MAX_CHUNK_LENGTH } from '../../src/net/swarm-limits.ts'
import { MAX_PIECE_LENGTH } from '../../src/swarm/pieces.ts'

const KIB = 1024

/** What it comes to where so many bytes go in a millisecond, whatever is sent at a time. */
function settledAt (bytesPerMs: number): number {
  const length = new ChunkLength()
  for (let chunk = 0; chunk < 30; chunk++) length.sent(length.bytes, length.bytes / bytesPerMs)
  return length.bytes
}

test.each([
  ['nothing is known', new ChunkLength().bytes, MAX_CHUNK_LENGTH],
  ['a link is fast', settledAt(10_000), MAX_CHUNK_LENGTH],
  ['200 KB go in a second', settledAt(200), 40_000],
  ['a link hardly moves', settledAt(1), 16 * KIB]
])('where %s it is %i', (_, actual, expected) => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1)
})

test('a link that was slow and is fast again has long ones after some', () => {
  const length = new ChunkLength()
  for (let chunk = 0; chunk < 10; chunk++) length.sent(16 * KIB, 1000)
  for (let chunk = 0; chunk < 20; chunk++) length.sent(length.bytes, 1)
  expect(length.bytes).toBe(MAX_CHUNK_LENGTH)
})

test('it is within its bounds whatever has been sent', () => {
  fc.assert(fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: MAX_CHUNK_LENGTH }), fc.double({ min: 0, max: 1e6, noNaN: true })), { maxLength: 20 }), sent => {
    const length = new ChunkLength()
    for (const [bytes, tookMs] of sent) length.sent(bytes, tookMs)
    expect(Number.isInteger(length.bytes)).toBe(true)
    expect(length.bytes).toBeGreaterThanOrEqual(16 * KIB)
    expect(length.bytes).toBeLessThanOrEqual(MAX_CHUNK_LENGTH)
  }))
})

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
