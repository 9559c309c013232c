import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../src/values/duration.ts'

describe('a duration', () => {
  it.each([['0', 0], ['500ms', 500], ['1.5s', 1500], ['0.2ms', 0.2], ['1.005s', 1005], ['30s', 30_000], ['5m', 300_000], ['1h', 3_600_000]])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '1', '1 s', '-1s', '1d', '1e3s', 's', '597h', '1S', '٣s', '1.s'])('%j is none', text => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it('is read as it was written', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), ms => { expect(parseDuration(formatDuration(ms))).toBe(ms) }))
  })
})
