import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { ReaderPace } from '../../src/pull/reader-pace.ts'

const MIB = 1024 * 1024

beforeEach(() => { vi.useFakeTimers() })
afterEach(() => { vi.useRealTimers() })

/** Whether it has ended, after so many milliseconds. */
async function hasEnded (waiting: Promise<void>, ms: number): Promise<boolean> {
  let ended = false
  waiting.then(() => { ended = true }, () => {})
  await vi.advanceTimersByTimeAsync(ms)
  return ended
}

test('where nobody reads, the intake need not wait', () => {
  const pace = new ReaderPace()
  expect(pace.isDue(100 * MIB)).toBe(false)
})

test('an intake that is close to its fastest reader goes on', () => {
  const pace = new ReaderPace()
  pace.gave(8 * MIB)
  pace.gave(2 * MIB)
  expect(pace.isDue(12 * MIB)).toBe(false)
})

test('an intake far ahead waits until the fastest reader has caught up', async () => {
  const pace = new ReaderPace()
  pace.gave(MIB)
  expect(pace.isDue(6 * MIB)).toBe(true)
  const waiting = pace.wait(6 * MIB)
  pace.gave(1.5 * MIB)
  expect(await hasEnded(waiting, 1)).toBe(false)
  pace.gave(2 * MIB)
  expect(await hasEnded(waiting, 0)).toBe(true)
  expect(vi.getTimerCount()).toBe(0)
})

test('a reader that stands still holds the intake for 10 ms a MiB, no more', async () => {
  const pace = new ReaderPace()
  pace.gave(1)
  expect(pace.isDue(6 * MIB)).toBe(true)
  const waiting = pace.wait(6 * MIB)
  expect(await hasEnded(waiting, 9)).toBe(false)
  expect(await hasEnded(waiting, 1)).toBe(true)
  expect(pace.isDue(7 * MIB - 1)).toBe(false)
  expect(pace.isDue(7 * MIB)).toBe(true)
})
