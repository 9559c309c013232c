import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SlotPool, type Slot } from '../../src/net/slot-pool.ts'

const PATIENCE_MS = 5_000

describe('a slot pool', () => {
  it('never gives more than it has, per key and in all, and loses none', () => {
    const steps = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean()), { maxLength: 60 })
    fc.assert(fc.property(steps, fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 5 }), (actions, maxPerKey, max) => {
      const pool = new SlotPool({ maxPerKey, max, maxQueued: 0 })
      const held: Array<{ key: string, slot: Slot }> = []
      for (const [key, takes] of actions) {
        if (takes) {
          const slot = pool.tryTake(key)
          const hasRoom = held.length < max && held.filter(other => other.key === key).length < maxPerKey
          expect(slot !== undefined).toBe(hasRoom)
          if (slot !== undefined) held.push({ key, slot })
        } else {
          held.shift()?.slot.release()
        }
      }
    }))
  })

  it('gives a released place to the first in line whose key allows it', async () => {
    const pool = new SlotPool({ maxPerKey: 1, max: 2, maxQueued: 10 })
    const [a, b] = [pool.tryTake('a'), pool.tryTake('b')]
    const order: string[] = []
    const waiting = ['a', 'c'].map(async key => {
      const slot = await pool.take(key, PATIENCE_MS)
      order.push(key)
      return slot
    })
    b?.release()
    await waiting[1]
    a?.release()
    await waiting[0]
    expect(order).toEqual(['c', 'a'])
  })

  it('releases once, however often it is told to', () => {
    const pool = new SlotPool({ maxPerKey: 1, max: 1, maxQueued: 0 })
    const slot = pool.tryTake('a')
    slot?.release()
    slot?.release()
    expect(pool.tryTake('a')).toBeDefined()
    expect(pool.tryTake('a')).toBeUndefined()
  })

  it('gives up after the time given, when the line is full, and when the signal aborts, without losing a place', async () => {
    const pool = new SlotPool({ maxPerKey: 1, max: 1, maxQueued: 1 })
    const slot = pool.tryTake('a')
    expect(await pool.take('a', 10)).toBeUndefined()
    const aborter = new AbortController()
    const waiting = pool.take('a', PATIENCE_MS, { signal: aborter.signal })
    expect(await pool.take('a', PATIENCE_MS)).toBeUndefined()
    aborter.abort(new Error('enough'))
    slot?.release()
    await expect(waiting).rejects.toThrow('enough')
    expect(pool.tryTake('a')).toBeDefined()
  })
})
