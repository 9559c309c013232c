import fc from 'fast-check'
import { expect, it } from 'vitest'
import { parseScenario } from '../../../scenarios/file/load.ts'
import { scaleGroups } from '../../../scenarios/file/scale.ts'
import { SHORTEST } from './scenario-text.ts'

const [group] = parseScenario('x', SHORTEST).groups

function scaled (counts: readonly number[], hosts: number): number[] {
  if (group === undefined) throw new Error('the scenario has no group')
  return scaleGroups(counts.map(count => ({ ...group, count })), hosts).map(({ count }) => count)
}

it.each([
  [[40], 1000, [1000]], [[20, 20], 41, [21, 20]], [[30, 10], 100, [75, 25]], [[1, 1, 1], 3, [1, 1, 1]], [[1, 200], 2010, [10, 2000]], [[1000, 1, 1], 4, [2, 1, 1]], [[1, 1, 1, 97], 10, [1, 1, 1, 7]]
])('%j of %i hosts are %j', (counts, hosts, expected) => {
  expect(scaled(counts, hosts)).toEqual(expected)
})

it('groups have so many hosts in all, none is empty, and a larger one stays as large', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 }), fc.integer({ min: 0, max: 5000 }), (counts, more) => {
    const hosts = counts.length + more
    const result = scaled(counts, hosts)
    expect(result.reduce((sum, count) => sum + count, 0)).toBe(hosts)
    expect(Math.min(...result)).toBeGreaterThan(0)
    for (const [a, count] of counts.entries()) {
      for (const [b, other] of counts.entries()) if (count > other) expect(result[a]).toBeGreaterThanOrEqual(result[b] ?? 0)
    }
  }))
})

it('as many as there are changes nothing', () => {
  fc.assert(fc.property(fc.array(fc.integer({ min: 1, max: 500 }), { minLength: 1, maxLength: 8 }), counts => {
    expect(scaled(counts, counts.reduce((sum, count) => sum + count, 0))).toEqual(counts)
  }))
})
