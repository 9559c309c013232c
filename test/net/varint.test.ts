import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeVarint, encodeVarint } from '../../src/net/varint.ts'

describe('varint', () => {
  it('reads back every safe integer it wrote', () => {
    fc.assert(fc.property(fc.maxSafeNat(), fc.uint8Array({ maxLength: 3 }), (value, prefix) => {
      const encoded = encodeVarint(value)
      expect(decodeVarint(Uint8Array.from([...prefix, ...encoded, 0xff]), prefix.length)).toEqual({ value, end: prefix.length + encoded.length })
    }))
  })

  it('waits for more when the bytes end inside it', () => {
    fc.assert(fc.property(fc.maxSafeNat(), value => {
      const encoded = encodeVarint(value)
      for (let length = 0; length < encoded.length; length++) expect(decodeVarint(Uint8Array.from(encoded.slice(0, length)))).toBeUndefined()
    }))
  })

  it.each([
    ['more than eight bytes', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01]],
    ['2^53', [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10]]
  ])('refuses %s', (_, bytes) => {
    expect(decodeVarint(Uint8Array.from(bytes))).toBe('invalid')
  })
})
