import { describe, expect, it } from 'vitest'
import { judge } from '../../../scenarios/recording/verdict.ts'
import type { Comparison, Expectation } from '../../../scenarios/scenario.ts'

const result = { figures: { 'completion.p99': 1200, 'origin.bytes': 500, 'wrong.bytes': 0, 'completion.max': null }, bound: { ms: 1000, because: '' }, imageBytes: 400 }
const clean = { figures: { 'completion.p99': 900 } }

function expectation (figure: string, comparison: Comparison, value: number, of?: 'bound' | 'image' | 'clean'): Expectation {
  return { text: 'as written', figure, comparison, value, of }
}

describe('an expectation', () => {
  it.each([
    [expectation('completion.p99', '<=', 1.2, 'bound'), 1200, true],
    [expectation('completion.p99', '<', 1.2, 'bound'), 1200, false],
    [expectation('completion.p99', '<=', 1.5, 'clean'), 1350, true],
    [expectation('completion.p99', '<=', 1.3, 'clean'), 1170, false],
    [expectation('origin.bytes', '>=', 1.25, 'image'), 500, true],
    [expectation('origin.bytes', '>', 1.25, 'image'), 500, false],
    [expectation('wrong.bytes', '==', 0), 0, true],
    [expectation('origin.bytes', '==', 499), 499, false]
  ])('%j has the limit %d', (expected, limit, isMet) => {
    expect(judge(expected, result, clean)).toEqual({ text: 'as written', actual: result.figures[expected.figure as 'origin.bytes'], limit: expect.closeTo(limit, 9) as number, isMet })
  })

  it('is not met without a figure, and not without what it is compared with', () => {
    expect(judge(expectation('completion.max', '>=', 0), result, clean)).toMatchObject({ actual: null, isMet: false })
    expect(judge(expectation('nothing.such', '>=', 0), result, clean)).toMatchObject({ actual: null, isMet: false })
    expect(judge(expectation('completion.p99', '<=', 9, 'clean'), result, undefined)).toMatchObject({ limit: null, isMet: false })
    expect(judge(expectation('completion.p99', '<=', 9, 'bound'), { ...result, bound: { ms: Infinity, because: '' } }, undefined)).toMatchObject({ limit: null, isMet: false })
  })
})
