import { expect, it } from 'vitest'
import { hostsText, quantityText, ratioText } from '../../scenarios/quantity-text.ts'
import type { Unit } from '../../scenarios/result.ts'

it.each<[number | null, Unit, string]>([
  [0.4, 'ms', '0 ms'],
  [999.4, 'ms', '999 ms'],
  [999.6, 'ms', '1.00 s'],
  [10_153.6, 'ms', '10.15 s'],
  [61_000, 'ms', '1 min 1 s'],
  [Infinity, 'ms', 'never'],
  [null, 'ms', 'never'],
  [null, 'share', 'none'],
  [3e9, 'bytes', '3.00 GB'],
  [3e8, 'bytes/s', '300 MB/s'],
  [Infinity, 'bytes/s', 'unlimited'],
  [2600, 'count', '2,600'],
  [1, 'share', '100 %'],
  [0.99999, 'share', '99.99 %'],
  [0.5, 'share', '50 %']
])('%d in %s is %s', (value, unit, text) => {
  expect(quantityText(value, unit)).toBe(text)
})

it('multiples and hosts read as in a sentence', () => {
  expect([ratioText(1.044), ratioText(12.34), hostsText(1), hostsText(2600)]).toEqual(['1.04 x', '12.3 x', '1 host', '2,600 hosts'])
})
