import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeVarint, encodeVarint } from '../../src/net/varint.ts'
import { FieldReader, FieldWriter } from '../../src/net/wire-fields.ts'

const MAX_COUNT = 100
const MAX_VALUE = Number.MAX_SAFE_INTEGER

class TestError extends Error {}

const ascendings = fc.uniqueArray(fc.maxSafeNat(), { maxLength: MAX_COUNT }).map(values => values.sort((a, b) => a - b))

function readerOf (message: Uint8Array): FieldReader {
  const fields = new FieldReader(reason => new TestError(reason))
  fields.read(message)
  return fields
}

describe('wire fields', () => {
  it('are read back as they were written, by one writer and one reader for all messages', () => {
    const writer = new FieldWriter()
    const fields = new FieldReader(reason => new TestError(reason))
    fc.assert(fc.property(fc.maxSafeNat(), fc.boolean(), fc.stringMatching(/^[ -~]*$/), fc.uint8Array({ maxLength: 2_000 }), ascendings, (number, flag, text, bytes, values) => {
      fields.read(writer.clear().number(1, number).flag(2, flag).text(3, text).bytes(4, bytes).ascending(15, values).message())
      expect(fields.number(1)).toBe(number)
      expect(fields.flag(2)).toBe(flag)
      expect(fields.text(3)).toBe(text)
      expect(fields.bytes(4)).toEqual(bytes)
      expect(fields.ascending(15, MAX_COUNT, MAX_VALUE)).toEqual(values)
    }))
  })

  it('are absent when they were not written, whatever the message before had', () => {
    const fields = readerOf(new FieldWriter().number(1, 7).text(2, 'before').message())
    fields.read(new Uint8Array())
    expect([fields.number(1), fields.flag(1), fields.text(2), fields.bytes(2), fields.ascending(2, 1, 1), fields.all(2, 1)]).toEqual([0, false, '', new Uint8Array(), [], []])
  })

  it('announce the length of their message', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), bytes => {
      const writer = new FieldWriter().bytes(1, bytes)
      const framed = writer.framed()
      expect(decodeVarint(framed)).toEqual({ value: writer.length, end: framed.byteLength - writer.length })
      expect(framed.subarray(framed.byteLength - writer.length)).toEqual(writer.message())
    }))
  })

  it('may come several times: all where a list is meant, else the last', () => {
    const fields = readerOf(new FieldWriter().text(1, 'a').number(2, 1).text(1, '').number(2, 5).text(1, 'c').message())
    expect(fields.all(1, 3).map(bytes => Buffer.from(bytes).toString())).toEqual(['a', '', 'c'])
    expect(() => fields.all(1, 2)).toThrow(TestError)
    expect(fields.text(1)).toBe('c')
    expect(fields.number(2)).toBe(5)
  })

  it('are read from a part of the bytes, and none beyond it', () => {
    const message = new FieldWriter().number(1, 300).ascending(2, [1_000]).message()
    const fields = new FieldReader(reason => new TestError(reason))
    fields.read(Uint8Array.of(0xff, ...message, 8, 1), 1, 1 + message.byteLength)
    expect(fields.number(1)).toBe(300)
    expect(fields.ascending(2, 1, MAX_VALUE)).toEqual([1_000])
    for (const end of [1, 2, 4, 5, 6]) expect(() => { fields.read(message, 0, end) }, `${end} bytes`).toThrow(TestError)
    expect(() => { fields.read(new FieldWriter().number(1, 5).message(), 0, 1) }).toThrow(TestError)
  })

  it('give up nothing but the error asked for, for arbitrary bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 60 }), bytes => {
      try {
        const fields = readerOf(bytes)
        for (let field = 1; field <= 15; field++) {
          try {
            fields.ascending(field, 10, 1_000)
            fields.all(field, 10)
          } catch (error) {
            expect(error).toBeInstanceOf(TestError)
          }
        }
      } catch (error) {
        expect(error).toBeInstanceOf(TestError)
      }
    }), { numRuns: 2_000 })
  })

  it.each([
    ['a field numbered 0', [0, 1]],
    ['a wire type other than varint and bytes', [8 + 5, 0, 0, 0, 0]],
    ['a field longer than its message', [8 + 2, 3, 1, 2]],
    ['a varint of nine bytes', [8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]],
    ['a number above 2^53 - 1', [8, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]]
  ])('refuse %s', (_, message) => {
    expect(() => readerOf(Uint8Array.from(message))).toThrow(TestError)
  })

  it('refuse to be read as what they are not', () => {
    const fields = readerOf(new FieldWriter().number(1, 1).text(2, 'x').message())
    expect(() => fields.text(1)).toThrow(TestError)
    expect(() => fields.ascending(1, 1, 1)).toThrow(TestError)
    expect(() => fields.all(1, 1)).toThrow(TestError)
    expect(() => fields.number(2)).toThrow(TestError)
  })

  it.each<[string, number[], number, number]>([
    ['too many numbers', [1, 1, 1], 2, 100],
    ['a number too high', [100, 1], 2, 100],
    ['a number that comes twice', [1, 0], 2, 100],
    ['a broken varint', [1, 0x80], 2, 100]
  ])('refuse an ascending list with %s', (_, content, maxCount, maxValue) => {
    const fields = readerOf(Uint8Array.of(8 + 2, content.length, ...content))
    expect(() => fields.ascending(1, maxCount, maxValue)).toThrow(TestError)
  })

  it('skip those numbered higher than any of ours', () => {
    const fields = readerOf(Uint8Array.from([...encodeVarint(16 * 8), 9, ...encodeVarint(10_000 * 8 + 2), 1, 1, 8, 3]))
    expect(fields.number(1)).toBe(3)
  })

  it('are not written when they have no form on the wire', () => {
    for (const value of [-1, 0.5, NaN, 2 ** 53]) expect(() => new FieldWriter().number(1, value)).toThrow(RangeError)
    for (const values of [[-1], [2, 1], [1, 1], [0.5], [2 ** 53]]) expect(() => new FieldWriter().ascending(1, values)).toThrow(RangeError)
  })
})
