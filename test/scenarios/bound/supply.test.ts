import { describe, expect, it } from 'vitest'
import { sentBy, soonestMs } from '../../../scenarios/bound/supply.ts'

describe('what senders can have sent', () => {
  it('begins when each of them does, and stops in its outages', () => {
    const senders = [{ rate: 1000, fromMs: 0 }, { rate: 500, fromMs: 2000, outages: [{ fromMs: 3000, toMs: 4000 }] }]
    expect([0, 1000, 3000, 3500, 5000].map(at => sentBy(senders, at))).toEqual([0, 1000, 3500, 4000, 6000])
  })

  it('counts of an outage only what lies after its start', () => {
    expect(sentBy([{ rate: 1000, fromMs: 0, outages: [{ fromMs: -5000, toMs: 500 }] }], 1000)).toBe(500)
  })
})

describe('the soonest moment', () => {
  it('is when the supply reaches the demand', () => {
    expect(soonestMs(10_000, atMs => sentBy([{ rate: 2000, fromMs: 1000 }], atMs))).toBeCloseTo(6000, 6)
    expect(soonestMs(10_000, atMs => sentBy([{ rate: 2000, fromMs: 0, outages: [{ fromMs: 1000, toMs: 61_000 }] }], atMs))).toBeCloseTo(65_000, 4)
  })

  it('is at once without a demand, and never without a supply', () => {
    expect(soonestMs(0, () => 0)).toBe(0)
    expect(soonestMs(1, () => 0)).toBe(Infinity)
    expect(soonestMs(10_000, atMs => sentBy([{ rate: 2000, fromMs: 0, outages: [{ fromMs: 1000, toMs: Infinity }] }], atMs))).toBe(Infinity)
  })
})
