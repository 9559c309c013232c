import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatSize, parseSize } from '../../src/values/size.ts'

describe('a size', () => {
  it.each([['3GB', 3e9], ['64MiB', 64 * 2 ** 20], ['1.5MB', 1_500_000], ['512B', 512], ['2kB', 2000], ['2KB', 2000], ['1KiB', 1024], ['1TB', 1e12], ['0B', 0]])('%s is %i bytes', (text, bytes) => {
    expect(parseSize(text)).toBe(bytes)
  })

  it.each(['', '0', '3', 'GB', '-3GB', '3 GB', '3gb', '3Gb', '3G', '3GB/s', '1e3MB', '.5GB', '1,5GB', '1constructor', '99999999TB'])('%j is none', text => {
    expect(parseSize(text)).toBeUndefined()
  })

  it('is read as it was written', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 1e12 - 1 }), bytes => { expect(parseSize(formatSize(bytes))).toBe(bytes) }))
    expect([3e9, 64 * 2 ** 20, 1_500_000, 1001, 0].map(formatSize)).toEqual(['3GB', '64MiB', '1500KB', '1001B', '0B'])
  })
})
