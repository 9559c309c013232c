import { expect, test } from 'vitest'
import { waitForTurnMs } from '../../src/pull/audit-turn.ts'

test.each([
  { of: 'the highest', membersAbove: 0, wrongForMs: 0, waitMs: 0 },
  { of: 'the next, which looks now and then', membersAbove: 1, wrongForMs: 0, waitMs: 250 },
  { of: 'the next, for the rest of its turn', membersAbove: 1, wrongForMs: 1_400, waitMs: 100 },
  { of: 'the next, when its turn has come', membersAbove: 1, wrongForMs: 1_500, waitMs: 0 },
  { of: 'one behind six', membersAbove: 6, wrongForMs: 8_999, waitMs: 1 },
  { of: 'one behind a hundred, no later', membersAbove: 100, wrongForMs: 9_000, waitMs: 0 },
  { of: 'one whose betters have the right whole meanwhile', membersAbove: 0, wrongForMs: 300, waitMs: 0 }
])('the turn of $of', ({ membersAbove, wrongForMs, waitMs }) => {
  expect(waitForTurnMs({ pieces: 100, membersAbove }, wrongForMs)).toBe(waitMs)
})

test('nobody waits for a blob of four pieces', () => {
  expect(waitForTurnMs({ pieces: 4, membersAbove: 100 }, 0)).toBe(0)
  expect(waitForTurnMs({ pieces: 5, membersAbove: 100 }, 0)).toBe(250)
})
