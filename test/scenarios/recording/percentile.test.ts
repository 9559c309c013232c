import fc from 'fast-check'
import { expect, it } from 'vitest'
import { percentile } from '../../../scenarios/recording/percentile.ts'

const ten = [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]

it.each([
  [ten, 0.5, 50],
  [ten, 0.9, 90],
  [ten, 0.91, 100],
  [ten, 0.99, 100],
  [ten, 1, 100],
  [[7], 0.5, 7],
  [[], 0.5, null]
])('of %j at %d it is %j', (values, share, expected) => {
  expect(percentile(values, share)).toBe(expected)
})

it('ranks who has no value last', () => {
  expect(percentile([10, 20, 30], 0.5, 6)).toBe(30)
  expect(percentile([10, 20, 30], 0.9, 6)).toBeNull()
})

it('is the smallest value that so many do not exceed, whatever floating point makes of the rank', () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 5000 }), fc.constantFrom(500, 900, 990, 999, 1000), (count, perMille) => {
    const values = Array.from({ length: count }, (_, index) => index + 1)
    const found = percentile(values, perMille / 1000) ?? NaN
    // exact: whole numbers only
    expect(found * 1000).toBeGreaterThanOrEqual(perMille * count)
    expect((found - 1) * 1000).toBeLessThan(perMille * count)
  }))
})
