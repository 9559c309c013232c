import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Nearness } from '../../src/swarm/nearness.ts'

function measured (rtts: readonly number[], zone?: string): Nearness {
  const nearness = new Nearness(zone)
  for (const [index, rttMs] of rtts.entries()) nearness.measured(`peer ${index}`, rttMs)
  return nearness
}

const rtts = fc.array(fc.double({ min: 0, max: 500, noNaN: true }), { maxLength: 40 })

describe('nearness', () => {
  it('is that of the zone where both say one, whatever was measured', () => {
    fc.assert(fc.property(rtts, fc.constantFrom('a', 'b'), (ways, zone) => {
      const nearness = measured(ways, 'a')
      expect(nearness.isNear('peer 0', zone)).toBe(zone === 'a')
    }))
  })

  it('is no border where nobody says one', () => {
    for (const zone of ['a', undefined]) {
      expect(measured([1, 1, 1, 1, 90], zone).isInZone(undefined)).toBe(true)
      expect(measured([1, 1, 1, 1, 90], zone).isInZone('b')).toBe(zone === undefined)
      expect(measured([1, 1, 1, 1, 90], zone).isInZone('a')).toBe(true)
    }
  })

  it('never makes a far one of who is closer than a near one, and leaves at least a quarter near', () => {
    fc.assert(fc.property(rtts, ways => {
      const nearness = measured(ways)
      const near = ways.map((_, index) => nearness.isNear(`peer ${index}`))
      for (const [one, rtt] of ways.entries()) {
        for (const [other, otherRtt] of ways.entries()) if (rtt < otherRtt && near[other] === true) expect(near[one]).toBe(true)
      }
      expect(near.filter(Boolean).length).toBeGreaterThanOrEqual(Math.ceil(ways.length / 4))
    }))
  })

  it('tells another site from this one, and no busy machine from an idle one', () => {
    expect(measured([0.4, 0.5, 0.3, 0.6, 35, 36]).isNear('peer 4')).toBe(false)
    expect(measured([0.4, 0.5, 0.3, 0.6, 35, 36]).isNear('peer 3')).toBe(true)
    const busy = measured([80, 20, 150, 30, 60, 45])
    for (let index = 0; index < 6; index++) expect(busy.isNear(`peer ${index}`)).toBe(true)
  })

  it('knows nothing of strangers and of those that are gone', () => {
    const nearness = measured([1, 1, 1, 1, 90])
    expect(nearness.isNear('a stranger')).toBe(true)
    expect(nearness.isNear('peer 4')).toBe(false)
    nearness.gone('peer 4')
    expect(nearness.isNear('peer 4')).toBe(true)
  })
})
