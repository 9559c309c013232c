import fc from 'fast-check'
import { expect, it } from 'vitest'
import { humanBytes, humanDigest, humanDuration, textTable } from '../../src/values/human.ts'

it.each([[0, '0 B'], [999, '999 B'], [1000, '1.00 kB'], [999_499, '999 kB'], [999_500, '1.00 MB'], [3_420_000, '3.42 MB'], [12_345_678, '12.3 MB'], [1.5e12, '1.50 TB'], [1e18, '1000 PB']])('%d bytes are %s', (bytes, text) => {
  expect(humanBytes(bytes)).toBe(text)
})

it.each([[0, '0 ms'], [999, '999 ms'], [1000, '1.0 s'], [59_999, '59.9 s'], [60_000, '1 min'], [200_000, '3 min 20 s'], [3_600_000, '1 h'], [7_500_000, '2 h 5 min'], [266_400_000, '3 d 2 h']])('%d ms are %s', (ms, text) => {
  expect(humanDuration(ms)).toBe(text)
})

it('bytes always have at most three digits and a point', () => {
  fc.assert(fc.property(fc.nat(), bytes => { expect(humanBytes(bytes)).toMatch(/^(\d{1,3}|\d\.\d\d|\d\d\.\d) [kMGT]?B$/) }))
})

it('a table has straight columns and no spaces at its ends', () => {
  expect(textTable([['A', 'BB', ''], ['ccc', 'd', '']])).toBe('A    BB\nccc  d\n')
})

it('a digest is known by its first 12 hex characters', () => {
  expect(humanDigest(`sha256:${'0123456789abcdef'.repeat(4)}`)).toBe('0123456789ab')
})
