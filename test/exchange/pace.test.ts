import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { BucketPace } from '../../src/exchange/pace.ts'
import { TokenBucket } from '../../src/swarm/token-bucket.ts'

const WINDOW_MS = 5_000
const CHUNK_BYTES = 256 * 1024

/** A pace in simulated time; timers are late by what `late` says. */
function paceOf (bytesPerSecond: number, late: () => number = () => 0): { readonly pace: BucketPace, readonly clock: { nowMs: number } } {
  const clock = { nowMs: 0 }
  return { clock, pace: new BucketPace(new TokenBucket({ bytesPerSecond }), { now: () => clock.nowMs, wait: async delayMs => { clock.nowMs += delayMs + late() } }) }
}

describe('the pace of uploads', () => {
  it('is within 5 % of the limit over any five seconds, however many send, in chunks and with late timers', async () => {
    const cases = fc.record({ rate: fc.integer({ min: 1_100_000, max: 500_000_000 }), senders: fc.integer({ min: 1, max: 12 }), late: fc.array(fc.integer({ min: 0, max: 20 }), { minLength: 1, maxLength: 9 }) })
    await fc.assert(fc.asyncProperty(cases, async ({ rate, senders, late }) => {
      let turn = 0
      const { pace, clock } = paceOf(rate, () => late[turn++ % late.length] ?? 0)
      const sent: Array<{ atMs: number, bytes: number }> = []
      await Promise.all(Array.from({ length: senders }, async () => {
        while (clock.nowMs < 2 * WINDOW_MS) {
          await pace.pass(CHUNK_BYTES)
          sent.push({ atMs: clock.nowMs, bytes: CHUNK_BYTES })
        }
      }))
      const aim = rate * WINDOW_MS / 1000
      for (let from = 0; from <= WINDOW_MS; from += 100) {
        const bytes = sent.reduce((sum, one) => one.atMs > from && one.atMs <= from + WINDOW_MS ? sum + one.bytes : sum, 0)
        // a chunk that is counted at its end has begun before
        expect(bytes).toBeLessThanOrEqual(aim * 1.05 + CHUNK_BYTES)
        expect(bytes).toBeGreaterThanOrEqual(aim * 0.95 - CHUNK_BYTES)
      }
    }), { numRuns: 20 })
  })

  it('lets what is urgent go before all that waits, and the rest in the order asked', async () => {
    const { pace } = paceOf(1_000_000)
    const order: string[] = []
    const pass = async (name: string, isUrgent: boolean): Promise<void> => pace.pass(CHUNK_BYTES, { isUrgent }).then(() => { order.push(name) })
    await Promise.all([pass('first', false), pass('second', false), pass('small', true), pass('third', false), pass('smaller', true)])
    expect(order).toEqual(['first', 'small', 'smaller', 'second', 'third'])
  })

  it('is none without a limit', async () => {
    const pace = new BucketPace(new TokenBucket(), { wait: async () => { throw new Error('waited') } })
    await pace.pass(1e12)
  })
})
