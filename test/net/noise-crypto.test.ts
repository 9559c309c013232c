import { defaultCrypto } from '@chainsafe/libp2p-noise/crypto'
import fc from 'fast-check'
import { Uint8ArrayList } from 'uint8arraylist'
import { describe, expect, it } from 'vitest'
import { noiseCrypto } from '../../src/net/noise-crypto.ts'

const bytes = (length: number): fc.Arbitrary<Uint8Array> => fc.uint8Array({ minLength: length, maxLength: length })
/** Below and above the length at which noise's own changes from WebAssembly to OpenSSL. */
const messages = fc.array(fc.uint8Array({ maxLength: 1_500 }), { maxLength: 4 })
const NO_DATA = new Uint8Array(0)

/** noise has a version of its own of the list, of the same shape. */
const listOf = (...parts: Uint8Array[]): Uint8Array => new Uint8ArrayList(...parts) as unknown as Uint8Array

describe('the cryptography of noise', () => {
  it.each([
    ['we encrypt', noiseCrypto, defaultCrypto],
    ['we decrypt', defaultCrypto, noiseCrypto]
  ])('is that of everybody else when %s', (_, sender, receiver) => {
    fc.assert(fc.property(messages, bytes(32), bytes(12), (parts, key, nonce) => {
      const plaintext = Buffer.concat(parts)
      for (const given of [plaintext, listOf(...parts)]) {
        const ciphertext = sender.chaCha20Poly1305Encrypt(given, nonce, NO_DATA, key).slice()
        const cut = Math.floor(ciphertext.length / 2)
        for (const arrived of [ciphertext, listOf(ciphertext.subarray(0, cut), ciphertext.subarray(cut))]) {
          const decrypted = receiver.chaCha20Poly1305Decrypt(arrived, nonce, NO_DATA, key, new Uint8Array(plaintext.length))
          expect(Buffer.compare(decrypted.slice(), plaintext)).toBe(0)
        }
      }
    }), { numRuns: 60 })
  })

  it('refuses what was changed on its way, and another key', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 1_500 }), bytes(32), fc.nat(), (plaintext, key, position) => {
      const nonce = new Uint8Array(12)
      const ciphertext = Uint8Array.from(noiseCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, NO_DATA, key).slice())
      expect(() => noiseCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, NO_DATA, key.map(byte => byte ^ 1))).toThrow()
      const changed = position % ciphertext.length
      ciphertext[changed] = (ciphertext[changed] ?? 0) ^ 1
      expect(() => noiseCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, NO_DATA, key)).toThrow()
    }), { numRuns: 60 })
  })
})
