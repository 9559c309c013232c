import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { backOffMs, retryAfterMs } from '../../src/origin/back-off.ts'
import { parseContentLength, parseContentRange, parseUnsatisfiedRange } from '../../src/origin/content-range.ts'
import { nextLink } from '../../src/origin/link-header.ts'
import { redactUrl } from '../../src/origin/redact-url.ts'

describe('Content-Range', () => {
  test.each([
    ['bytes 0-0/1', { start: 0, end: 0, total: 1 }],
    ['bytes 5-9/10', { start: 5, end: 9, total: 10 }],
    ['Bytes 5-9/*', { start: 5, end: 9, total: undefined }],
    ['bytes 5-10/10', undefined], ['bytes 9-5/10', undefined], ['bytes */10', undefined], ['bytes 5-9', undefined],
    ['bytes -5-9/10', undefined], ['lines 5-9/10', undefined], ['bytes 0-1/99999999999999999', undefined], [undefined, undefined]
  ])('%j is %j', (header, range) => {
    expect(parseContentRange(header)).toEqual(range)
  })

  test('of every range that can be is read back', () => {
    fc.assert(fc.property(fc.maxSafeNat(), fc.maxSafeNat(), fc.maxSafeNat(), (a, b, c) => {
      const [start, end, last] = [a, b, c].sort((x, y) => x - y) as [number, number, number]
      fc.pre(last < Number.MAX_SAFE_INTEGER)
      expect(parseContentRange(`bytes ${start}-${end}/${last + 1}`)).toEqual({ start, end, total: last + 1 })
    }))
  })

  test('of a 416 says the total', () => {
    expect(parseUnsatisfiedRange('bytes */10')).toBe(10)
    expect(parseUnsatisfiedRange('bytes 1-2/10')).toBeUndefined()
  })
})

test.each([['0', 0], ['12', 12], ['12, 12', undefined], ['-1', undefined], ['1e3', undefined], ['0x10', undefined], ['9'.repeat(17), undefined], ['', undefined]])('Content-Length %j is %j', (header, length) => {
  expect(parseContentLength(header)).toBe(length)
})

test.each([
  ['</v2/a/tags/list?last=b&n=2>; rel="next"', '/v2/a/tags/list?last=b&n=2'],
  ['</a>; rel=prev, </b>; rel=next', '/b'],
  ['</a>; title="x, y"; rel="prev next"', '/a'],
  ['</a>; rel="nextish"', undefined],
  ['</a>; rel="prev"', undefined],
  ['nonsense', undefined],
  [undefined, undefined]
])('the next link of %j is %j', (header, link) => {
  expect(nextLink(header)).toBe(link)
})

describe('Retry-After', () => {
  const now = Date.UTC(2026, 0, 1)
  test.each([['0', 0], ['7', 7000], [' 7 ', 7000], [new Date(now + 5000).toUTCString(), 5000], [new Date(now - 5000).toUTCString(), 0], ['999999999', 3_600_000], ['soon', 1000], [undefined, 1000]])('%j is %j ms', (header, ms) => {
    expect(retryAfterMs(header, now)).toBe(ms)
  })
})

test('the back-off is somewhere below a bound that doubles up to a second', () => {
  expect([1, 2, 3, 4, 20].map(failures => backOffMs(failures, () => 1))).toEqual([200, 400, 800, 1000, 1000])
  expect(backOffMs(3, () => 0)).toBe(0)
})

test.each([
  ['https://user:word@host:8443/a/b?X-Amz-Signature=secret#x', 'https://host:8443/a/b?…'],
  ['http://host/a', 'http://host/a'],
  ['no URL with a secret', '(unreadable URL)']
])('%s is shown as %s', (url, shown) => {
  expect(redactUrl(url)).toBe(shown)
})
