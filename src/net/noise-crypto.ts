import { createSecretKey, type KeyObject } from 'node:crypto'
import type { ICryptoInterface } from '@chainsafe/libp2p-noise'
import { defaultCrypto, nodeCrypto } from '@chainsafe/libp2p-noise/crypto'

const keyObjects = new WeakMap<Uint8Array, KeyObject>()

/**
 * noise's own cryptography, with two differences: each key becomes a key object of Node once, as a cipher made of raw bytes
 * makes one for each message of 64 KiB; and OpenSSL works on short messages too, not WebAssembly. A tenth of the lane's CPU.
 */
export const noiseCrypto: ICryptoInterface = {
  ...defaultCrypto,
  chaCha20Poly1305Encrypt: (plaintext, nonce, ad, key) => nodeCrypto.chaCha20Poly1305Encrypt(plaintext, nonce, ad, keyObjectOf(key)),
  chaCha20Poly1305Decrypt: (ciphertext, nonce, ad, key) => nodeCrypto.chaCha20Poly1305Decrypt(ciphertext, nonce, ad, keyObjectOf(key))
}

/** Typed as bytes: what becomes of it is an argument of node:crypto, which takes both. */
function keyObjectOf (key: Uint8Array): Uint8Array {
  let keyObject = keyObjects.get(key)
  if (keyObject === undefined) {
    keyObject = createSecretKey(key)
    keyObjects.set(key, keyObject)
  }
  return keyObject as unknown as Uint8Array
}
