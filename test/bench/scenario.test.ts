import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { rolesOf, SCENARIOS, seededHosts } from '../../bench/rollout/scenario.ts'

describe('roles of hosts', () => {
  it('are all healthy without faults', () => {
    expect(new Set(rolesOf(SCENARIOS.n16))).toEqual(new Set(['healthy']))
  })

  it('are as many as the faults want, and the first host is healthy', () => {
    const faults = fc.record({ killed: fc.nat(4), slow: fc.nat(4), stalling: fc.nat(4), lying: fc.nat(4) })
    fc.assert(fc.property(faults, fc.integer({ min: 17, max: 100 }), (wanted, hosts) => {
      const roles = rolesOf({ hosts, faults: wanted })
      expect(roles).toHaveLength(hosts)
      expect(roles[0]).toBe('healthy')
      for (const [role, count] of Object.entries(wanted)) expect(roles.filter(other => other === role)).toHaveLength(count)
    }))
  })

  it('are refused when nobody would be healthy', () => {
    expect(() => rolesOf({ hosts: 2, faults: { killed: 2 } })).toThrow(RangeError)
  })
})

describe('hosts that hold the image before', () => {
  it('are the share that is wanted, spread evenly', () => {
    expect([...seededHosts({ hosts: 16, seededShare: 0.25 })]).toEqual([0, 4, 8, 12])
    expect(seededHosts({ hosts: 16, seededShare: 0 }).size).toBe(0)
  })
})
