import { generateKeyPair } from '@libp2p/crypto/keys'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { signAttestation, type Attestation } from '../../src/net/swarm-attestation.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { heldPieces, noteOf, vouchedPieces } from '../../src/pull/kept-pieces.ts'
import type { PartialBlob } from '../../src/store/store.ts'
import { MIN_PIECE_LENGTH, pieceSpan } from '../../src/swarm/pieces.ts'
import { bytesOf, makeKit, type Kit } from './kit.ts'

const PIECE = MIN_PIECE_LENGTH
const SIZE = 3 * PIECE + 100
const bytes = bytesOf(SIZE)
const digest = digestOf(bytes)
let kit: Kit
let partial: PartialBlob

beforeEach(async () => {
  kit = await makeKit()
  partial = await kit.store.openPartial(digest)
  await partial.setSize(SIZE)
})
afterEach(async () => { await kit.close() })

async function write (piece: number, source: 'origin' | `peer:${string}`): Promise<void> {
  const { start, end } = pieceSpan(SIZE, piece)
  await partial.write(start, bytes.subarray(start, end), source)
}

function sha256Of (piece: number): string {
  const { start, end } = pieceSpan(SIZE, piece)
  return digestOf(bytes.subarray(start, end)).slice('sha256:'.length)
}

async function attested (piece: number, sha256 = sha256Of(piece)): Promise<Attestation> {
  return signAttestation(await generateKeyPair('Ed25519'), { digest, size: SIZE, hashes: [{ piece, sha256: Buffer.from(sha256, 'hex') }] })
}

it('pieces are held whose every byte is here, the short last one too', async () => {
  await write(0, 'origin')
  await partial.write(PIECE, bytes.subarray(PIECE, 2 * PIECE - 1), 'origin')
  await write(3, 'origin')
  expect(heldPieces(partial, SIZE)).toEqual([0, 3])
})

describe('of held pieces', () => {
  it('those of the origin need nobody\'s word, those of members have what was noted', async () => {
    for (const piece of [0, 1, 2]) await write(piece, piece === 0 ? 'origin' : 'peer:a')
    const attestation = await attested(1)
    partial.confirm(pieceSpan(SIZE, 1), sha256Of(1), noteOf(attestation))
    const vouched = vouchedPieces(partial, SIZE, heldPieces(partial, SIZE))
    expect([...vouched.keys()]).toEqual([1, 2])
    expect(vouched.get(1)?.author).toBe(attestation.author)
    expect(vouched.get(2)).toBeUndefined()
  })

  it.each([
    ['of another hash', async () => noteOf(await attested(1, 'ab'.repeat(32)))],
    ['of another piece', async () => noteOf(await attested(2))],
    ['that is none', async () => 'AAAA']
  ])('a note %s is nobody\'s word', async (_, note) => {
    await write(1, 'peer:a')
    partial.confirm(pieceSpan(SIZE, 1), sha256Of(1), await note())
    expect([...vouchedPieces(partial, SIZE, [1])]).toEqual([[1, undefined]])
  })

  it('a word that is longer than what is worth noting is not noted', () => {
    expect(noteOf({ bytes: new Uint8Array(2048) } as unknown as Attestation)).not.toBe('')
    expect(noteOf({ bytes: new Uint8Array(2049) } as unknown as Attestation)).toBe('')
  })
})
