import { expect, it } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { DownloadBudget, type DownloadLimit } from '../../src/pull/download-budget.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { Session } from '../../src/swarm/session.ts'

const PIECE = MIN_PIECE_LENGTH

function sessionOf (pieces: number, name = 'a'): Session {
  const session = new Session({ self: 'self', digest: digestOf(Buffer.from(name)), size: pieces * PIECE })
  session.joined('member', { held: Bitfield.full(pieces) }, 0)
  return session
}

function limitOf (bytesPerSecond: number, { isHolding }: { isHolding: boolean }): DownloadLimit {
  return { bytesPerSecond, isHolding, came: () => true, taken: () => undefined }
}

/** The session asks for all that it may. @returns how much that was */
function ask (budget: DownloadBudget, session: Session): number {
  return session.decide(0, { room: budget.roomFor(session, 0).room, runs: 0, window: 100 }).length
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

it('asks for eight pieces of any length, for twelve of 1 MiB and fourteen of more, until it is known how fast they come', () => {
  for (const [mib, requests] of [[16, 8], [64, 8], [65, 12], [512, 12], [513, 14], [20_480, 14]] as const) {
    const size = mib * 1024 * 1024
    const session = new Session({ self: 'self', digest: digestOf(Buffer.from('large')), size })
    session.joined('member', { held: Bitfield.full(session.pieces) }, 0)
    const budget = new DownloadBudget(() => 0)
    budget.add(session)
    expect(ask(budget, session)).toBe(requests)
    expect(budget.roomFor(session, 0).room).toBe(0)
  }
})

it('never lets a small blob wait for a large one, whatever the limit', () => {
  const budget = new DownloadBudget(() => 0, limitOf(1_000_000, { isHolding: true }))
  const [large, small] = [sessionOf(100), sessionOf(5, 'b')]
  for (const session of [large, small]) budget.add(session)
  ask(budget, large)
  expect(budget.roomFor(large, 0).room).toBe(0)
  expect(budget.roomFor(small, 0).room).toBeGreaterThanOrEqual(5)
})

it('asks for as much as may come in a quarter of a second while more would come than may, in equal shares', () => {
  const budget = new DownloadBudget(() => 10_000, limitOf(8 * 4 * PIECE, { isHolding: true }))
  const [first, second] = [sessionOf(100), sessionOf(100, 'b')]
  for (const session of [first, second]) budget.add(session)
  expect(ask(budget, first)).toBe(8)
  expect(ask(budget, second)).toBe(4)
  for (let piece = 99; first.requested > 4; piece--) first.rejected('member', piece, 'missing', 0)
  expect(ask(budget, first)).toBe(0)
})

it('asks for eight small pieces on a slow link too, where they may come in a second, in equal shares', () => {
  const budget = new DownloadBudget(() => 10_000, limitOf(8 * PIECE, { isHolding: true }))
  const [first, second] = [sessionOf(100), sessionOf(100, 'b')]
  for (const session of [first, second]) budget.add(session)
  expect(ask(budget, first)).toBe(8)
  expect(ask(budget, second)).toBe(4)
})

it('lets each of many downloads ask for one piece, however low the limit', () => {
  const budget = new DownloadBudget(() => 10_000, limitOf(1000, { isHolding: true }))
  for (const name of ['a', 'b', 'c']) {
    const session = sessionOf(100, name)
    budget.add(session)
    expect(ask(budget, session)).toBe(1)
  }
})

it('asks as if there were no limit while members send less than may come', () => {
  let now = 0
  const budget = new DownloadBudget(() => now, limitOf(1_000_000, { isHolding: false }))
  const session = sessionOf(100)
  budget.add(session)
  // how fast they are is not known yet
  expect(budget.roomFor(session, now).room).toBe(7)
  now = 1_000
  expect(budget.roomFor(session, now)).toEqual(new DownloadBudget(() => now).roomFor(session, now))
})

it('lets small blobs of the origin go first', () => {
  const asked: boolean[] = []
  const taken: DownloadLimit['taken'] = (_, options) => {
    asked.push(options?.isUrgent === true)
    return undefined
  }
  const budget = new DownloadBudget(() => 0, { ...limitOf(1000, { isHolding: true }), taken })
  for (const size of [200_000, 200_000_000, undefined]) expect(budget.read(1000, size)).toBeUndefined()
  expect(asked).toEqual([true, false, false])
})
