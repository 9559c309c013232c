import { expect, test } from 'vitest'
import { SpareTime } from '../../src/swarm/spare-time.ts'

test.each([
  [10, 200],
  [100, 200],
  [150, 300],
  [400, 500],
  [Infinity, 500]
])('where a piece takes %d ms each who ranks before us is waited for %d ms', (pieceMs, stepMs) => {
  const spare = new SpareTime()
  expect(spare.suffices(10_000, 1, pieceMs)).toBe(false)
  spare.begin(1_000)
  spare.begin(1_100)
  for (const before of [1, 3]) {
    expect(spare.suffices(1_000 + before * stepMs, before, pieceMs)).toBe(false)
    expect(spare.suffices(1_001 + before * stepMs, before, pieceMs)).toBe(true)
  }
})

test('what somebody leaves unread is waited for anew', () => {
  const spare = new SpareTime()
  spare.begin(0)
  spare.shared()
  expect(spare.suffices(300, 1, 10)).toBe(false)
  expect(spare.suffices(500, 1, 10)).toBe(false)
  expect(spare.suffices(501, 1, 10)).toBe(true)
})
