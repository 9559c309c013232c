import { expect, it } from 'vitest'
import { calibrate } from '../../scenarios/calibration.ts'
import type { Result } from '../../scenarios/result.ts'

function resultWith (figures: Result['figures']): Result {
  return { figures } as Result
}

it.each([
  { sim: 1150, live: 1000, difference: 0.15, isMet: true },
  { sim: 1151, live: 1000, difference: 0.151, isMet: false },
  { sim: 850, live: 1000, difference: -0.15, isMet: true },
  { sim: 840, live: 1000, difference: -0.16, isMet: false },
  { sim: 0, live: 0, difference: 0, isMet: true },
  { sim: 5, live: 0, difference: null, isMet: false },
  { sim: null, live: 1000, difference: null, isMet: false },
  { sim: 1000, live: null, difference: null, isMet: false }
])('a p50 of $sim simulated and $live for real differs by $difference', ({ sim, live, difference, isMet }) => {
  const [p50] = calibrate(resultWith({ 'completion.p50': sim }), resultWith({ 'completion.p50': live }))
  expect(p50).toEqual({ figure: 'completion.p50', sim, live, difference, tolerance: 0.15, isMet })
})

it('the median, the tail and the bytes of the origin decide', () => {
  expect(calibrate(resultWith({}), resultWith({})).map(({ figure, tolerance }) => [figure, tolerance])).toEqual([['completion.p50', 0.15], ['completion.p99', 0.15], ['origin.bytes', 0.1]])
})
