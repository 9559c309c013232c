import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatRate, parseRate } from '../../src/values/rate.ts'

describe('a rate', () => {
  it.each([
    ['20MB/s', 20_000_000], ['500KB/s', 500_000], ['500kB/s', 500_000], ['1MiB/s', 1_048_576], ['80Mbit/s', 10_000_000], ['1.5GB/s', 1_500_000_000],
    ['2048B/s', 2048], ['2KiB/s', 2048], ['1Gbit/s', 125_000_000], ['1GiB/s', 1_073_741_824], ['8kbit/s', 1000], ['1000GB/s', 1e12]
  ])('%s is %i bytes a second', (text, bytesPerSecond) => {
    expect(parseRate(text)).toBe(bytesPerSecond)
  })

  it.each(['', '0', '20', '20MB', '20 MB/s', '20MBps', '20Mb/s', '20mb/s', '20mB/s', '-1MB/s', '1e3KB/s', '0MB/s', '999B/s', '1001GB/s', '.5MB/s', '1,5MB/s', '20MB/min', '1toString/s'])('%j is none', text => {
    expect(parseRate(text)).toBeUndefined()
  })

  it('is read as it was written', () => {
    fc.assert(fc.property(fc.oneof(fc.integer({ min: 1000, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }).map(mebibytes => mebibytes * 2 ** 20 % 1e12 + 1000)), bytesPerSecond => {
      expect(parseRate(formatRate(bytesPerSecond))).toBe(bytesPerSecond)
    }))
    expect([20_000_000, 1_048_576, 1_500_000, 1001].map(formatRate)).toEqual(['20MB/s', '1MiB/s', '1500KB/s', '1001B/s'])
  })
})
