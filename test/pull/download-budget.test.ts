import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { DownloadBudget } from '../../src/pull/download-budget.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Session } from '../../src/swarm/session.ts'
import { TokenBucket } from '../../src/swarm/token-bucket.ts'

const PIECE = MIN_PIECE_LENGTH

function sessionOf (pieces: number, name = 'a'): Session {
  const session = new Session({ self: 'self', digest: digestOf(Buffer.from(name)), size: pieces * PIECE })
  session.joined('member', { held: Bitfield.full(pieces) }, 0)
  return session
}

it('is shared by all downloads, each of which may have one request under way', () => {
  const budget = new DownloadBudget(() => 0)
  const [first, second] = [sessionOf(100), sessionOf(100, 'b')]
  for (const session of [first, second]) budget.add(session)
  const { room } = budget.roomFor(first, 0)
  first.decide(0, { room, runs: 0, window: 100 })
  expect(first.requested).toBe(room)
  expect(budget.roomFor(first, 0).room).toBe(0)
  expect(budget.roomFor(second, 0).room).toBe(1)
  budget.remove(first)
  expect(budget.roomFor(second, 0).room).toBe(room)
})

it('never lets a small blob wait for a large one, and lets nobody ask beyond the limit', () => {
  let now = 0
  const budget = new DownloadBudget(() => now, new TokenBucket({ bytesPerSecond: 1_000_000 }))
  const [large, small] = [sessionOf(100), sessionOf(5, 'b')]
  for (const session of [large, small]) budget.add(session)
  large.decide(0, { room: budget.roomFor(large, 0).room, runs: 0, window: 100 })
  expect(budget.roomFor(small, 0).room).toBe(5)
  budget.received(2_000_000)
  expect(budget.roomFor(small, 0).room).toBe(0)
  expect(budget.read(0)).toBeGreaterThan(0)
  now = 3_000
  expect(budget.roomFor(small, now).room).toBeGreaterThanOrEqual(5)
})
