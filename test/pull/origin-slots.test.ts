import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OriginSlots, type OriginAsker } from '../../src/pull/origin-slots.ts'

const MIB = 1024 * 1024

describe('places at the origin', () => {
  it('are never more than the limit, and everybody who waits has one in the end', () => {
    const asks = fc.array(fc.record({ size: fc.option(fc.integer({ min: 0, max: 4 * MIB }), { nil: undefined }), isWanted: fc.boolean() }), { minLength: 1, maxLength: 40 })
    fc.assert(fc.property(fc.integer({ min: 1, max: 5 }), asks, fc.array(fc.nat(100)), (limit, wishes, order) => {
      const slots = new OriginSlots(limit)
      const held: Array<() => void> = []
      const called = new Set<OriginAsker>()
      const askers = wishes.map(({ size, isWanted }): OriginAsker => {
        const asker = {
          size,
          onFree: () => {
            expect(called.has(asker)).toBe(false)
            called.add(asker)
            if (isWanted) held.push(slots.take(asker))
            expect(held.length).toBeLessThanOrEqual(limit)
          }
        }
        return asker
      })
      for (const asker of askers) if (slots.isFree(asker)) asker.onFree()
      for (let step = 0; held.length > 0; step++) {
        const [free] = held.splice((order[step] ?? 0) % held.length, 1)
        free?.()
        free?.()
      }
      expect(called.size).toBe(askers.length)
      expect(slots.isContended).toBe(false)
    }))
  })

  it('go to small blobs first, though every fourth to who has waited longest', () => {
    const slots = new OriginSlots(1)
    const order: string[] = []
    const make = (name: string, size: number | undefined): OriginAsker => {
      const asker = { size, onFree: () => { order.push(name); frees.push(slots.take(asker)) } }
      return asker
    }
    const frees = [slots.take(make('first', 1))]
    for (const [name, size] of [['large 1', 9 * MIB], ['unknown', undefined], ['large 2', 9 * MIB], ['a', 1], ['b', MIB], ['c', 2], ['d', 3], ['e', 3]] as const) slots.isFree(make(name, size))
    while (frees.length > 0) frees.shift()?.()
    expect(order).toEqual(['a', 'b', 'c', 'large 1', 'd', 'e', 'unknown', 'large 2'])
  })

  it('are not waited for by who has left', async () => {
    const slots = new OriginSlots(1)
    const free = await slots.enter(1, { signal: new AbortController().signal })
    const leaving = new AbortController()
    const waiting = slots.enter(1, { signal: leaving.signal })
    expect(slots.isContended).toBe(true)
    leaving.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    expect(slots.isContended).toBe(false)
    const next = slots.enter(1, { signal: new AbortController().signal })
    free()
    ;(await next)()
  })
})
