import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TokenBucket } from '../../src/swarm/token-bucket.ts'

const WINDOW_MS = 5000
const MAX_LATE_MS = 20

interface Sent {
  readonly atMs: number
  readonly bytes: number
}

const rates = fc.oneof(fc.integer({ min: 1000, max: 1_000_000 }), fc.integer({ min: 100_000, max: 2_000_000_000 }))
/** How late each timer fires, over and over. */
const lateness = fc.array(fc.double({ min: 0, max: MAX_LATE_MS, noNaN: true }), { minLength: 1, maxLength: 20 })

/** What a sender has to send at a time, in milliseconds of its rate, over and over. */
const wishes = fc.array(fc.double({ min: 1, max: 300, noNaN: true }), { minLength: 1, maxLength: 10 })

/** The busiest and the idlest window that begins or ends at a send, in bytes. */
function windows (sent: readonly Sent[], untilMs: number): { most: number, least: number } {
  let most = 0
  let least = Infinity
  let sum = 0
  let first = 0
  for (const [index, { atMs, bytes }] of sent.entries()) {
    sum += bytes
    for (; (sent[first]?.atMs ?? 0) <= atMs - WINDOW_MS; first++) sum -= sent[first]?.bytes ?? 0
    most = Math.max(most, sum)
    // the window that ends just before this one
    if (atMs >= WINDOW_MS && atMs <= untilMs && index > 0) least = Math.min(least, sum - bytes)
  }
  return { most, least }
}

describe('a sender with a limit', () => {
  it('that always has something to send stays within 5 % of it over any five seconds, however late its timers are', () => {
    fc.assert(fc.property(rates, lateness, wishes, (bytesPerSecond, late, wanted) => {
      const bucket = new TokenBucket({ bytesPerSecond })
      const sent: Sent[] = []
      let nowMs = 0
      for (let round = 0; nowMs < 12_000; round++) {
        for (let turn = 0; ; turn++) {
          const bytes = bucket.take(Math.ceil((wanted[turn % wanted.length] ?? 1) * bytesPerSecond / 1000), nowMs)
          if (bytes === 0) break
          const last = sent.at(-1)
          if (last?.atMs === nowMs) sent[sent.length - 1] = { atMs: nowMs, bytes: last.bytes + bytes }
          else sent.push({ atMs: nowMs, bytes })
        }
        const delayMs = bucket.delayMs(nowMs)
        expect(delayMs).toBeGreaterThan(0)
        nowMs += delayMs + (late[round % late.length] ?? 0)
      }
      const { most, least } = windows(sent, 12_000)
      const aim = bytesPerSecond * WINDOW_MS / 1000
      expect(most).toBeLessThanOrEqual(aim * 1.05)
      expect(least).toBeGreaterThanOrEqual(aim * 0.95)
    }), { numRuns: 60 })
  })

  it('that pauses at will never exceeds it by more than 5 % over five seconds', () => {
    const step = fc.record({ pauseMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 3000, noNaN: true })), wanted: fc.integer({ min: 1, max: 5_000_000 }) })
    fc.assert(fc.property(rates, fc.array(step, { minLength: 1, maxLength: 300 }), (bytesPerSecond, steps) => {
      const bucket = new TokenBucket({ bytesPerSecond })
      const sent: Sent[] = []
      let nowMs = 0
      for (const { pauseMs, wanted } of steps) {
        nowMs += pauseMs
        sent.push({ atMs: nowMs, bytes: bucket.take(wanted, nowMs) })
      }
      expect(windows(sent, nowMs).most).toBeLessThanOrEqual(bytesPerSecond * WINDOW_MS / 1000 * 1.05)
    }))
  })

  it('does not drift in an hour', () => {
    const bucket = new TokenBucket({ bytesPerSecond: 1_234_567 })
    let total = 0
    let nowMs = 0
    while (nowMs < 3_600_000) {
      total += bucket.take(bucket.chunkBytes, nowMs)
      nowMs += bucket.delayMs(nowMs) + nowMs % 3 / 7
    }
    expect(Math.abs(total / 3600 / 1_234_567 - 1)).toBeLessThan(0.0001)
  })

  it('is told to wait no longer than it must', () => {
    fc.assert(fc.property(rates, fc.integer({ min: 1, max: 300_000 }), (bytesPerSecond, bytes) => {
      const bucket = new TokenBucket({ bytesPerSecond })
      bucket.spend(bytes, 0)
      const delayMs = bucket.delayMs(0)
      expect(bucket.take(1, delayMs)).toBe(1)
      if (delayMs > 1) {
        const other = new TokenBucket({ bytesPerSecond })
        other.spend(bytes, 0)
        expect(other.take(1, delayMs - 1.001)).toBe(0)
      }
    }))
  })
})

describe('a bucket', () => {
  it.each([[500_000, 50_000], [1_000_000, 65_536], [10_000_000, 500_000], [1_000_000_000, 50_000_000]])('of %i bytes a second lets %i go at once after a pause', (bytesPerSecond, burst) => {
    const bucket = new TokenBucket({ bytesPerSecond })
    bucket.spend(100_000_000, 0)
    expect(bucket.take(1e12, 1e9)).toBe(burst)
    expect(bucket.delayMs(1e9)).toBe(0)
  })

  it.each([[10_000_000, 65_536], [100_000, 10_000]])('of %i bytes a second lets a chunk of %i go into debt, and no more until that is paid', (bytesPerSecond, chunkBytes) => {
    const bucket = new TokenBucket({ bytesPerSecond })
    expect(bucket.chunkBytes).toBe(chunkBytes)
    bucket.take(1e12, 0)
    expect(bucket.take(1e12, 0)).toBe(chunkBytes)
    expect(bucket.take(1, 0)).toBe(0)
    expect(bucket.delayMs(0)).toBe(Math.ceil(chunkBytes * 1000 / bytesPerSecond))
  })

  it('says when more than a chunk may go at once', () => {
    const bucket = new TokenBucket({ bytesPerSecond: 10_000_000 })
    bucket.spend(500_000, 0)
    expect(bucket.delayMs(0, 65_536)).toBe(0)
    expect(bucket.delayMs(0, 65_536 + 100_000)).toBe(10)
    expect(bucket.delayMs(0, 1e12)).toBe(50)
  })

  it('counts what was not asked for', () => {
    const bucket = new TokenBucket({ bytesPerSecond: 10_000_000 })
    bucket.spend(5_500_000, 0)
    expect(bucket.delayMs(0)).toBe(500)
    expect(bucket.take(1, 499)).toBe(0)
    expect(bucket.take(1, 500)).toBe(1)
  })

  it('takes a clock that went back for one that stands', () => {
    const bucket = new TokenBucket({ bytesPerSecond: 1_000_000 })
    bucket.spend(165_536, 1000)
    expect(bucket.delayMs(500)).toBe(100)
    expect(bucket.delayMs(1000)).toBe(100)
    expect(bucket.delayMs(1050)).toBe(50)
  })

  it('without a limit lets everything go', () => {
    const bucket = new TokenBucket()
    bucket.spend(1e15, 0)
    expect(bucket.chunkBytes).toBe(Infinity)
    expect(bucket.delayMs(0, 1e15)).toBe(0)
    expect(bucket.take(1e15, 0)).toBe(1e15)
  })
})
