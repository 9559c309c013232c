import { expect, it } from 'vitest'
import { linkBytesPerSecond, tokenBucket } from '../../../scenarios/live/link-rate.ts'

it('makes room for the headers of full frames', () => {
  expect(linkBytesPerSecond(1448)).toBe(1514)
  expect(tokenBucket(10e6)).toBe('tbf rate 10455801bps burst 131072 latency 50ms')
})
