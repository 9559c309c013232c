import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contentRange, etagMatches, ifRangeMatches, parseByteRange, unsatisfiedRange } from '../../src/oci/byte-range.ts'

const SIZE = 1000
const whole = { type: 'whole' }
const unsatisfiable = { type: 'unsatisfiable' }
const single = (start: number, end: number) => ({ type: 'single', start, end })
const several = (...ranges: Array<[number, number]>) => ({ type: 'several', ranges: ranges.map(([start, end]) => ({ start, end })) })

describe('parseByteRange', () => {
  it.each([
    [undefined, whole],
    ['bytes=0-499', single(0, 500)],
    ['bytes=0-0', single(0, 1)],
    ['bytes=500-', single(500, 1000)],
    ['bytes=999-', single(999, 1000)],
    ['bytes=0-', single(0, 1000)],
    ['bytes=-1', single(999, 1000)],
    ['bytes=-500', single(500, 1000)],
    ['bytes=-5000', single(0, 1000)],
    ['bytes=900-5000', single(900, 1000)],
    ['bytes=1-99999999999999999999999999', single(1, 1000)],
    ['Bytes=0-1', single(0, 2)],
    [' bytes=0-1 ', single(0, 2)],
    ['bytes= 0-1', single(0, 2)],
    ['bytes=00000-00001', single(0, 2)],
    ['bytes=500-0', unsatisfiable],
    ['bytes=1000-', unsatisfiable],
    ['bytes=1000-2000', unsatisfiable],
    ['bytes=99999999999999999999999999-', unsatisfiable],
    ['bytes=-0', unsatisfiable],
    ['bytes=0-1,500-0', unsatisfiable],
    ['bytes=1000-,2000-', unsatisfiable],
    ['bytes=0-1,10-19', several([0, 2], [10, 20])],
    ['bytes=10-19, 0-1', several([10, 20], [0, 2])],
    ['bytes=0-1,,10-19,', several([0, 2], [10, 20])],
    ['bytes=0-1,-10', several([0, 2], [990, 1000])],
    ['bytes=0-1,2000-', single(0, 2)],
    ['bytes=0-9,0-9', several([0, 10], [0, 10])],
    ['bytes=0-,0-', whole],
    ['bytes=0-,-1', whole],
    ['', whole],
    ['bytes', whole],
    ['bytes=', whole],
    ['bytes=,', whole],
    ['bytes=-', whole],
    ['bytes=a-b', whole],
    ['bytes=1', whole],
    ['bytes=1-2-3', whole],
    ['bytes=--1', whole],
    ['bytes=+1-2', whole],
    ['bytes=1.5-2', whole],
    ['bytes=0x1-2', whole],
    ['bytes=1 - 2', whole],
    ['bytes=0-1;2-3', whole],
    ['bytes=0-1,x', whole],
    ['items=0-1', whole],
    ['bytes:0-1', whole]
  ])('answers %j', (header, expected) => {
    expect(parseByteRange(header, SIZE)).toEqual(expected)
  })

  it('gives all of an empty content where its last bytes are asked for, and 416 else', () => {
    expect(parseByteRange('bytes=-5', 0)).toEqual(whole)
    expect(parseByteRange('bytes=0-', 0)).toEqual(unsatisfiable)
  })

  it('answers up to 64 ranges one by one and more of them as a whole', () => {
    const header = (count: number) => `bytes=${Array.from({ length: count }, (_, i) => `${i * 2}-${i * 2}`).join(',')}`
    expect(parseByteRange(header(64), SIZE)).toMatchObject({ type: 'several', ranges: { length: 64 } })
    expect(parseByteRange(header(65), SIZE)).toEqual(whole)
    expect(parseByteRange(`bytes=${',,,,'.repeat(50)}0-0,1-1`, SIZE)).toEqual(several([0, 1], [1, 2]))
  })

  it('decides on a huge header quickly', () => {
    const started = performance.now()
    parseByteRange(`bytes=${'1'.repeat(1_000_000)}`, SIZE)
    parseByteRange(`bytes=${'0-1,'.repeat(250_000)}`, SIZE)
    parseByteRange(`bytes=${' '.repeat(1_000_000)}x`, SIZE)
    parseByteRange('a'.repeat(1_000_000), SIZE)
    expect(performance.now() - started).toBeLessThan(2000)
  })

  it('covers exactly the bytes a naive reading of the RFC names', () => {
    const numbers = fc.oneof(fc.nat(40), fc.constant(10 ** 20))
    const specs = fc.oneof(fc.tuple(numbers, numbers).map(([a, b]) => `${a}-${b}`), numbers.map(a => `${a}-`), numbers.map(a => `-${a}`)).map(spec => spec.replace('100000000000000000000', '9'.repeat(30)))
    fc.assert(fc.property(fc.array(specs, { minLength: 1, maxLength: 4 }), fc.nat(30), (list, size) => {
      const answer = parseByteRange(`bytes=${list.join(',')}`, size)
      const named = list.map(spec => naiveBytes(spec, size))
      const isInverted = named.includes('inverted')
      const satisfiable = named.filter(bytes => bytes !== 'inverted').filter(bytes => bytes.length > 0)
      switch (answer.type) {
        case 'unsatisfiable':
          expect(isInverted || satisfiable.length === 0).toBe(true)
          break
        case 'whole':
          expect(size === 0 || (list.length > 1 && satisfiable.flat().length > size)).toBe(true)
          break
        case 'single':
        case 'several': {
          const ranges = answer.type === 'single' ? [answer] : answer.ranges
          for (const { start, end } of ranges) expect(start >= 0 && start < end && end <= size).toBe(true)
          expect(ranges.map(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i))).toEqual(satisfiable)
        }
      }
    }), { numRuns: 1000 })
  })

  it('stays within the content whatever the header says', () => {
    const headers = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[0-9, -]{0,40}$/))
    fc.assert(fc.property(headers, fc.nat(), (header, size) => {
      const answer = parseByteRange(header, size)
      const ranges = answer.type === 'single' ? [answer] : answer.type === 'several' ? answer.ranges : []
      for (const { start, end } of ranges) expect(start >= 0 && start < end && end <= size).toBe(true)
    }), { numRuns: 1000 })
  })
})

/** The positions a range names, byte by byte. */
function naiveBytes (spec: string, size: number): number[] | 'inverted' {
  const [first = '', last = ''] = spec.split('-')
  if (first !== '' && last !== '' && BigInt(last) < BigInt(first)) return 'inverted'
  const all = Array.from({ length: size }, (_, i) => i)
  if (first === '') return all.filter(i => BigInt(i) >= BigInt(size) - BigInt(last))
  return all.filter(i => BigInt(i) >= BigInt(first) && (last === '' || BigInt(i) <= BigInt(last)))
}

describe('Content-Range', () => {
  it('names the last byte, not the one after it', () => {
    expect(contentRange(0, 500, 1000)).toBe('bytes 0-499/1000')
    expect(unsatisfiedRange(1000)).toBe('bytes */1000')
  })
})

describe('conditions', () => {
  const etag = '"sha256:abc"'

  it.each([
    [undefined, false], ['', false], ['*', true], [etag, true], [`W/${etag}`, true], ['sha256:abc', true], [`"x", ${etag}`, true], [`"x",W/${etag} , "y"`, true],
    ['"x"', false], ['"sha256:ab"', false], ['"sha256:abc', true], ['"a,sha256:abc"', false]
  ])('compare If-None-Match %j', (header, expected) => {
    expect(etagMatches(header, etag)).toBe(expected)
  })

  it.each([
    [undefined, true], [etag, true], [` ${etag}`, true], [`W/${etag}`, false], ['"x"', false], ['Wed, 21 Oct 2015 07:28:00 GMT', false], ['sha256:abc', false]
  ])('compare If-Range %j strongly', (header, expected) => {
    expect(ifRangeMatches(header, etag)).toBe(expected)
  })

  it('never compare a weak tag as strong', () => {
    expect(ifRangeMatches('W/"a"', 'W/"a"')).toBe(false)
  })
})
