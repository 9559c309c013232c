import { expect, it } from 'vitest'
import { parseShare } from '../../../scenarios/file/share.ts'

it.each<[string | number, number]>([['5%', 0.05], ['0%', 0], ['100%', 1], ['99.9%', 0.999], ['0.1%', 0.001], [0.05, 0.05], [0, 0], [1, 1]])('%j is %d', (given, share) => {
  expect(parseShare(given)).toBe(share)
})

it.each<string | number>(['', '5', '%', '-5%', '101%', '5 %', '0.05', 1.01, -0.1, NaN])('%j is none', given => {
  expect(parseShare(given)).toBeUndefined()
})
