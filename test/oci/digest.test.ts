import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { digestAlgorithm, digestHex, digestOf, finishDigest, InvalidDigestError, isDigest, parseDigest, shortDigest } from '../../src/oci/digest.ts'
import { digests } from './arbitraries.ts'

const EMPTY = 'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'
const HEX = 'a'.repeat(64)

describe('digest', () => {
  it('names the bytes by the algorithm asked for', () => {
    expect(digestOf(new Uint8Array())).toBe(EMPTY)
    expect(digestOf(new TextEncoder().encode('abc'), 'sha512')).toMatch(/^sha512:ddaf35a193617abacc417349ae204131/)
  })

  it('ends a running hash', () => {
    expect(finishDigest(createHash('sha256'), 'sha256')).toBe(EMPTY)
  })

  it('falls into its parts', () => {
    const digest = parseDigest(EMPTY)
    expect(digestAlgorithm(digest)).toBe('sha256')
    expect(digestHex(digest)).toBe(EMPTY.slice(7))
    expect(shortDigest(digest)).toBe('e3b0c44298fc')
  })

  it('reads back what it wrote', () => {
    fc.assert(fc.property(digests, digest => {
      expect(parseDigest(digest)).toBe(digest)
      expect(`${digestAlgorithm(digest)}:${digestHex(digest)}`).toBe(digest)
    }))
  })

  it.each([
    ['nothing', ''],
    ['no algorithm', HEX],
    ['an unknown algorithm', `md5:${'a'.repeat(32)}`],
    ['a prototype property as algorithm', `constructor:${HEX}`],
    ['upper case hex', `sha256:${HEX.toUpperCase()}`],
    ['an upper case algorithm', `SHA256:${HEX}`],
    ['too few digits', `sha256:${HEX.slice(1)}`],
    ['too many digits', `sha256:${HEX}a`],
    ['the length of another algorithm', `sha512:${HEX}`],
    ['a newline at the end', `sha256:${HEX}\n`],
    ['a path', `sha256:../${'a'.repeat(61)}`]
  ])('refuses %s', (_, text) => {
    expect(isDigest(text)).toBe(false)
    expect(() => parseDigest(text)).toThrow(InvalidDigestError)
  })

  it('takes any other text for what it is, no digest', () => {
    fc.assert(fc.property(fc.string(), fc.integer({ min: 0, max: 70 }), (text, at) => {
      const damaged = EMPTY.slice(0, at) + text + EMPTY.slice(at)
      expect(isDigest(damaged)).toBe(text === '' || /^sha256:[0-9a-f]{64}$/.test(damaged))
    }))
  })

  it('says what it refused, cut short', () => {
    const error = new InvalidDigestError('x'.repeat(10_000))
    expect(error).toMatchObject({ code: 'DIGEST_INVALID', name: 'InvalidDigestError' })
    expect(error.message.length).toBeLessThan(400)
  })
})
