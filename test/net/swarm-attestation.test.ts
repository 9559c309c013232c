import { createHash, sign } from 'node:crypto'
import { generateKeyPair, generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import fc from 'fast-check'
import { base58btc } from 'multiformats/bases/base58'
import { describe, expect, it } from 'vitest'
import { attestedHash, decodeAttestation, signAttestation, verifyAttestation, type Attestation, type PieceHash } from '../../src/net/swarm-attestation.ts'
import { MAX_ATTESTATION_LENGTH, MAX_ATTESTED_PIECES, MAX_PIECE_INDEX } from '../../src/net/swarm-limits.ts'
import { SwarmMessageError } from '../../src/net/swarm-message.ts'
import { publicKeyOf, signerOf } from '../../src/net/swarm-signer.ts'
import { FieldWriter } from '../../src/net/wire-fields.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { MAX_PIECE_LENGTH, MIN_PIECE_LENGTH, pieceCount } from '../../src/swarm/pieces.ts'

const DOMAIN = Buffer.from('shoal piece attestation 1\n')
const DIGEST = digestOf(Buffer.from('a blob'))
const SIZE = 10 * MIN_PIECE_LENGTH
const key = await keyOf(1)

async function keyOf (seed: number): Promise<Ed25519PrivateKey> {
  return generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(seed))
}

function hashOf (piece: number): PieceHash {
  return { piece, sha256: createHash('sha256').update(`${piece}`).digest() }
}

function attest (pieces: readonly number[] = [0, 3, 9], size = SIZE, digest = DIGEST): Attestation {
  return signAttestation(key, { digest, size, hashes: pieces.map(hashOf) })
}

interface Payload {
  author?: string
  digest?: string
  pieceLength?: number
  size?: number
  pieces?: readonly number[]
  hashes?: Uint8Array
}

/** Signed as it should be, whatever it says. */
function payloadOf ({ author = signerOf(key).author, digest = DIGEST, pieceLength = MIN_PIECE_LENGTH, size = SIZE, pieces = [0, 1], hashes = new Uint8Array(64) }: Payload): Uint8Array {
  return new FieldWriter().text(1, author).text(2, digest).number(3, pieceLength).number(4, size).ascending(5, pieces).bytes(6, hashes).message()
}

function envelopeOf (payload: Uint8Array, signature: Uint8Array = sign(null, Buffer.concat([DOMAIN, payload]), signerOf(key).key)): Uint8Array {
  return new FieldWriter().bytes(1, payload).bytes(2, signature).message()
}

describe('an attestation', () => {
  const pieceLists = fc.uniqueArray(fc.integer({ min: 0, max: pieceCount(2 ** 33) - 1 }), { minLength: 1, maxLength: 20 }).map(list => list.sort((a, b) => a - b))

  it('is read back as it was signed, and verifies', () => {
    fc.assert(fc.property(pieceLists, fc.constantFrom('sha256', 'sha512'), (pieces, algorithm) => {
      const signed = attest(pieces, 2 ** 33, digestOf(new Uint8Array(), algorithm))
      const decoded = decodeAttestation(signed.bytes)
      expect(plain(decoded)).toEqual(plain(signed))
      expect(verifyAttestation(decoded)).toBe(true)
      for (const piece of pieces) expect(Buffer.from(attestedHash(decoded, piece) ?? [])).toEqual(hashOf(piece).sha256)
    }), { numRuns: 50 })
  })

  it('knows no hash of a piece that it does not cover', () => {
    for (const piece of [1, 2, 4, 8, 10, -1]) expect(attestedHash(attest(), piece)).toBeUndefined()
  })

  it('bears the peer id that libp2p gives to the key', () => {
    expect(attest().author).toBe(peerIdFromPrivateKey(key).toString())
  })

  it('is signed as libp2p would sign the same text', async () => {
    const { payload, signature } = attest()
    expect(await key.publicKey.verify(Buffer.concat([DOMAIN, payload]), signature)).toBe(true)
  })

  it('has the bytes of the example in docs/protocol.md', async () => {
    const example = '0acd010a34313244334b6f6f5744704a3741733742574177524d6675315655325743714e6a76713338374a45594b44426a346b78366e58544e1247736861323536' +
      '3a383838363936633338653839356464373432623834393466343439323139633132613235366131366430383431623933383133633834316132393864663932' +
      '631880800820c0843d2a0200073240ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb3e23e8160039594a33894f6564e1b1348b' +
      'bd7a0088d42c4acb73eeaed59c009d12409aeca0710cf91e7483dbb7e9b8dc9ad15b1c3aa41502726364185d7ccabe9a92eac5b03fdaa6a28749c8ef87bd3d3c' +
      'cf8153eb2e2c90484102a08f564b2f2c08'
    const hashes = [{ piece: 0, sha256: createHash('sha256').update('a').digest() }, { piece: 7, sha256: createHash('sha256').update('b').digest() }]
    const { bytes } = signAttestation(await keyOf(0), { digest: digestOf(Buffer.from('shoal')), size: 1_000_000, hashes })
    expect(Buffer.from(bytes).toString('hex')).toBe(example)
    expect(verifies(Buffer.from(example, 'hex'))).toBe(true)
  })

  it('does not verify when any bit of what is signed, or of the signature, has changed', () => {
    const { bytes } = attest()
    fc.assert(fc.property(fc.nat(bytes.byteLength - 1), fc.nat(7), (at, bit) => {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << bit)
      expect(() => verifies(changed)).not.toThrow()
      expect(verifies(changed)).toBe(false)
    }), { numRuns: 200 })
  })

  it('does not verify under another name', async () => {
    const other = signerOf(await keyOf(2)).author
    expect(verifies(envelopeOf(payloadOf({})))).toBe(true)
    expect(verifies(envelopeOf(payloadOf({ author: other })))).toBe(false)
  })

  it('does not verify when its text was signed for another purpose', () => {
    const payload = payloadOf({})
    expect(verifies(envelopeOf(payload, sign(null, payload, signerOf(key).key)))).toBe(false)
  })

  it('is verified as it came: fields to come are covered by the signature too', () => {
    const payload = Buffer.concat([payloadOf({}), new FieldWriter().text(9, 'later').message()])
    const { signature } = decodeAttestation(envelopeOf(payload))
    expect(verifies(envelopeOf(payload, signature))).toBe(true)
    payload[payload.byteLength - 1] = 0
    expect(verifies(envelopeOf(payload, signature))).toBe(false)
  })

  it.each<[string, Payload]>([
    ['no author', { author: '' }],
    ['an author whose id is no base58', { author: '0'.repeat(52) }],
    ['an author whose id holds nothing we know', { author: '1'.repeat(52) }],
    ['no valid digest', { digest: 'sha256:ab' }],
    ['a piece length that does not follow from the size', { pieceLength: MIN_PIECE_LENGTH * 2 }],
    ['no size', { size: 0 }],
    ['no pieces', { pieces: [], hashes: new Uint8Array() }],
    ['a piece beyond the blob', { pieces: [0, 10] }],
    ['a hash too few', { hashes: new Uint8Array(32) }],
    ['a hash too many', { hashes: new Uint8Array(96) }],
    ['half a hash', { hashes: new Uint8Array(63) }]
  ])('is refused with %s', (_, payload) => {
    expect(() => decodeAttestation(envelopeOf(payloadOf(payload)))).toThrow(SwarmMessageError)
  })

  it('is refused with an author whose key is not of Ed25519', async () => {
    const sameForm = base58btc.baseEncode(Uint8Array.of(0x00, 0x24, 0x08, 0x02, 0x12, 0x20, ...new Uint8Array(32)))
    for (const author of [peerIdFromPrivateKey(await generateKeyPair('secp256k1')).toString(), sameForm]) {
      expect(() => decodeAttestation(envelopeOf(payloadOf({ author })))).toThrow(SwarmMessageError)
      expect(publicKeyOf(author)).toBeUndefined()
    }
  })

  it('is refused with a signature of another length', () => {
    for (const length of [0, 63, 65]) expect(() => decodeAttestation(envelopeOf(payloadOf({}), new Uint8Array(length)))).toThrow(SwarmMessageError)
  })

  it('covers up to 1024 pieces, and fits into a message then', () => {
    const size = MAX_PIECE_INDEX * MAX_PIECE_LENGTH
    const pieces = (count: number): number[] => Array.from({ length: count }, (_, index) => index * 1_000)
    const { bytes } = attest(pieces(MAX_ATTESTED_PIECES), size, digestOf(new Uint8Array(), 'sha512'))
    expect(bytes.byteLength).toBeLessThanOrEqual(36 * 1024)
    expect(verifies(bytes)).toBe(true)
    expect(() => attest(pieces(MAX_ATTESTED_PIECES + 1), size)).toThrow(RangeError)
    const tooMany = payloadOf({ size, pieceLength: MAX_PIECE_LENGTH, pieces: pieces(MAX_ATTESTED_PIECES + 1), hashes: new Uint8Array((MAX_ATTESTED_PIECES + 1) * 32) })
    expect(() => decodeAttestation(envelopeOf(tooMany))).toThrow(SwarmMessageError)
  })

  it('is refused before it is looked into when it is too long', () => {
    const padded = (length: number): Uint8Array => new FieldWriter().bytes(1, payloadOf({})).bytes(2, attest().signature).bytes(9, new Uint8Array(length)).message()
    const room = MAX_ATTESTATION_LENGTH - padded(0).byteLength
    expect(padded(room - 2).byteLength).toBe(MAX_ATTESTATION_LENGTH)
    expect(() => decodeAttestation(padded(room - 2))).not.toThrow()
    expect(() => decodeAttestation(padded(room - 1))).toThrow(SwarmMessageError)
  })

  it.each<[string, () => unknown]>([
    ['no pieces', () => attest([])],
    ['pieces out of order', () => attest([3, 0, 9])],
    ['a piece twice', () => attest([3, 3])],
    ['a piece beyond the blob', () => attest([10])],
    ['a hash of another length', () => signAttestation(key, { digest: DIGEST, size: SIZE, hashes: [{ piece: 0, sha256: new Uint8Array(31) }, { piece: 1, sha256: new Uint8Array(33) }] })]
  ])('is not made of %s', (_, make) => {
    expect(make).toThrow(RangeError)
  })

  it('throws nothing but its own error for arbitrary, cut and changed bytes', () => {
    const { bytes, payload } = attest()
    const cut = fc.tuple(fc.constantFrom(bytes, envelopeOf(payload.subarray(0, 60))), fc.nat(bytes.byteLength)).map(([from, length]) => from.subarray(0, length))
    const changed = fc.tuple(fc.nat(payload.byteLength - 1), fc.nat(255)).map(([at, value]) => {
      const copy = Uint8Array.from(payload)
      copy[at] = value
      return envelopeOf(copy, new Uint8Array(64))
    })
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), cut, changed), some => {
      try {
        decodeAttestation(some)
      } catch (error) {
        expect(error).toBeInstanceOf(SwarmMessageError)
      }
    }), { numRuns: 1_000 })
  })
})

describe('the keys of signers', () => {
  it('are remembered, up to a bound', async () => {
    const mine = signerOf(key).author
    const first = publicKeyOf(mine)
    expect(publicKeyOf(mine)).toBe(first)
    for (let count = 0; count < 1_024; count++) publicKeyOf(peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString())
    expect(publicKeyOf(mine)).not.toBe(first)
    expect(publicKeyOf(mine)?.equals(first ?? signerOf(key).key)).toBe(true)
  })
})

/** Whether it is read and verifies; false when it is refused. */
function verifies (bytes: Uint8Array): boolean {
  let attestation: Attestation
  try {
    attestation = decodeAttestation(bytes)
  } catch (error) {
    if (error instanceof SwarmMessageError) return false
    throw error
  }
  return verifyAttestation(attestation)
}

/** Comparable whatever kind of Uint8Array it holds. */
function plain ({ hashes, bytes, payload, signature, ...facts }: Attestation): unknown {
  return { ...facts, hashes: [...hashes], bytes: [...bytes], payload: [...payload], signature: [...signature] }
}
