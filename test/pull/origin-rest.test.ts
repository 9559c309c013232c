import { describe, expect, it } from 'vitest'
import { OriginRest } from '../../src/pull/origin-rest.ts'

describe('OriginRest', () => {
  it('is two seconds, twice as long each time up to thirty, until a read has come to its end', () => {
    const rest = new OriginRest()
    const failed = (): number => rest.failed({ isCut: false }, 0)
    expect([failed(), failed(), failed(), failed(), failed(), failed()]).toEqual([2000, 4000, 8000, 16_000, 30_000, 30_000])
    rest.succeeded()
    expect(failed()).toBe(2000)
  })

  it('is none after a read that was cut, and begins anew then', () => {
    const rest = new OriginRest()
    rest.failed({ isCut: false }, 0)
    expect([rest.failed({ isCut: true }, 0), rest.failed({ isCut: false }, 0)]).toEqual([1, 2000])
  })

  it('is as long as the origin says, the first time that others may read, and grows then', () => {
    const rest = new OriginRest()
    const limited = (): number => rest.failed({ isCut: false, retryAfterMs: 500, isLimited: true }, 0)
    expect([limited(), limited(), limited()]).toEqual([500, 2000, 4000])
  })

  it('is never shorter than the origin says', () => {
    expect(new OriginRest().failed({ isCut: false, retryAfterMs: 5000 }, 0)).toBe(5000)
  })

  it('says until when the origin is away for a moment, and of none that is away for longer or has failed otherwise', () => {
    const rest = new OriginRest()
    rest.failed({ isCut: false, retryAfterMs: 3000, isLimited: true }, 1000)
    expect([rest.isBackSoon(3999), rest.isBackSoon(4000)]).toEqual([true, false])
    const long = new OriginRest()
    long.failed({ isCut: false, retryAfterMs: 3001, isLimited: true }, 0)
    const failed = new OriginRest()
    failed.failed({ isCut: false }, 0)
    expect([long.isBackSoon(1), failed.isBackSoon(1)]).toEqual([false, false])
  })
})
