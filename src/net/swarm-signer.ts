import { createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { base58btc } from 'multiformats/bases/base58'
import { RecentMap } from '../recent.ts'

/*
 * A peer id of an Ed25519 key holds the key: base58btc of an identity multihash (0x00, length 36) of the public key in
 * libp2p's protobuf form (field 1, type, Ed25519 = 1; field 2, data, 32 bytes): libp2p specifications, peer-ids, "Peer Ids".
 */
const ID_PREFIX = Uint8Array.of(0x00, 0x24, 0x08, 0x01, 0x12, 0x20)
const KEY_LENGTH = 32
/** All ids of this form have as many characters, since their first bytes are the same. */
const ID_TEXT_LENGTH = 52
/** Peers whose keys are remembered; to make one costs a third of what a verification does. */
const MAX_REMEMBERED = 1024

/** Who signs: the key in the form that signs fastest, and the peer id it proves. */
export interface Signer {
  readonly author: string
  readonly key: KeyObject
}

const remembered = new RecentMap<string, KeyObject>(MAX_REMEMBERED)
const signers = new WeakMap<Ed25519PrivateKey, Signer>()

/** Whether a peer id holds a key of Ed25519; cheaper than to get it. */
export function canSign (peer: string): boolean {
  return remembered.has(peer) || keyBytesOf(peer) !== undefined
}

/** The public key that a peer id holds; undefined when it holds none of Ed25519. */
export function publicKeyOf (peer: string): KeyObject | undefined {
  const key = remembered.get(peer) ?? makePublicKey(peer)
  if (key !== undefined) remembered.set(peer, key)
  return key
}

export function signerOf (privateKey: Ed25519PrivateKey): Signer {
  let signer = signers.get(privateKey)
  if (signer === undefined) {
    const raw = privateKey.raw
    const x = base64url(privateKey.publicKey.raw)
    const key = createPrivateKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', d: base64url(raw.subarray(0, KEY_LENGTH)), x } })
    signer = { author: base58btc.baseEncode(Buffer.concat([ID_PREFIX, privateKey.publicKey.raw])), key }
    signers.set(privateKey, signer)
  }
  return signer
}

function makePublicKey (peer: string): KeyObject | undefined {
  const bytes = keyBytesOf(peer)
  return bytes && createPublicKey({ format: 'jwk', key: { kty: 'OKP', crv: 'Ed25519', x: base64url(bytes) } })
}

function keyBytesOf (peer: string): Uint8Array | undefined {
  if (peer.length !== ID_TEXT_LENGTH) return undefined
  let id: Uint8Array
  try {
    id = base58btc.baseDecode(peer)
  } catch {
    return undefined
  }
  const isKey = id.byteLength === ID_PREFIX.byteLength + KEY_LENGTH && ID_PREFIX.every((byte, index) => id[index] === byte)
  return isKey ? id.subarray(ID_PREFIX.byteLength) : undefined
}

function base64url (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64url')
}
