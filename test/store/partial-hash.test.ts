import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { HASH_BLOCK_BYTES } from '../../src/store/hash-messages.ts'
import type { HashPool } from '../../src/store/hash-pool.ts'
import type { FileHashJob } from '../../src/store/hash-thread.ts'
import { PartialHash } from '../../src/store/partial-hash.ts'

const told: string[] = []
let tellBlock: (index: number) => void
const job = {
  hasFailed: false,
  advance: (to: number) => { told.push(`to ${to / HASH_BLOCK_BYTES}`) },
  rewind: (to: number) => {
    told.push(`back to ${to / HASH_BLOCK_BYTES}`)
    return job
  },
  stop: () => { told.push('stop') }
} as unknown as FileHashJob
const hashes = {
  start: (_path: string, _algorithm: string, onBlock: (index: number, hex: string) => void) => {
    tellBlock = index => { onBlock(index, 'hex') }
    return job
  }
} as unknown as HashPool
let hash: PartialHash

beforeEach(() => {
  vi.useFakeTimers()
  told.length = 0
  hash = new PartialHash({ hashes, path: '/nowhere', algorithm: 'sha256', onBlock: () => {} })
})
afterEach(() => { vi.useRealTimers() })

test('the thread is told of whole blocks, not of each, and of the last soon', () => {
  hash.advance(HASH_BLOCK_BYTES - 1)
  hash.advance(1.5 * HASH_BLOCK_BYTES)
  for (let blocks = 2; blocks <= 9.5; blocks += 0.5) hash.advance(blocks * HASH_BLOCK_BYTES)
  expect(told).toEqual(['to 1'])
  vi.runAllTimers()
  expect(told).toEqual(['to 1', 'to 9'])
})

test('what was cut before the thread was told of it is never told', () => {
  hash.advance(HASH_BLOCK_BYTES)
  hash.advance(5 * HASH_BLOCK_BYTES)
  hash.rewind(2.5 * HASH_BLOCK_BYTES)
  vi.runAllTimers()
  expect(told).toEqual(['to 1', 'to 2'])
})

test('a cut below what was told goes back no further than it must, and hears of each block that was not told of', () => {
  hash.advance(5 * HASH_BLOCK_BYTES)
  tellBlock(0)
  tellBlock(1)
  hash.rewind(3.5 * HASH_BLOCK_BYTES)
  hash.advance(4 * HASH_BLOCK_BYTES)
  vi.runAllTimers()
  expect(told).toEqual(['to 5', 'back to 2', 'to 4'])
  tellBlock(2)
  tellBlock(3)
  hash.rewind(3 * HASH_BLOCK_BYTES)
  hash.advance(3 * HASH_BLOCK_BYTES)
  vi.runAllTimers()
  expect(told.slice(3)).toEqual(['back to 3'])
})

test('where another file lies it starts over', () => {
  hash.advance(5 * HASH_BLOCK_BYTES)
  hash.stop()
  hash.advance(3 * HASH_BLOCK_BYTES)
  expect(told).toEqual(['to 5', 'stop', 'to 3'])
})
