import { expect, it } from 'vitest'
import { Signing } from '../../src/exchange/signing.ts'
import type { Attestation } from '../../src/net/swarm-attestation.ts'

interface Scene {
  readonly signing: Signing
  /** Pieces of each word of ours. */
  readonly signed: number[][]
  /** Ends the hashing of these, or fails. */
  readonly hashed: (...pieces: number[]) => void
  readonly unreadable: (piece: number) => void
}

function scene (pieces: number): Scene {
  const waiting = Array.from({ length: pieces }, () => Promise.withResolvers<Uint8Array>())
  const signed: number[][] = []
  const signing = new Signing({
    sign: hashes => ({ pieces: hashes.map(({ piece }) => piece) }) as unknown as Attestation,
    hash: async piece => (waiting[piece]?.promise ?? Promise.reject(new RangeError(`piece ${piece}`))),
    onSigned: attestation => { signed.push([...attestation.pieces]) }
  })
  return {
    signing,
    signed,
    hashed: (...ready) => { for (const piece of ready) waiting[piece]?.resolve(new Uint8Array(32)) },
    unreadable: piece => { waiting[piece]?.reject(new Error('a bad disk')) }
  }
}

it('pieces wait until signing begins, and are signed together, in order', async () => {
  const { signing, signed, hashed } = scene(3)
  for (const piece of [2, 0, 1]) signing.add(piece)
  signing.remove(1)
  expect([signing.isDue, signing.isIdle, signing.pieces]).toEqual([true, false, [2, 0]])
  signing.begin()
  expect([signing.isDue, signing.isIdle, signing.pieces]).toEqual([false, false, [0, 2]])
  hashed(0, 2)
  await expect.poll(() => signed).toEqual([[0, 2]])
  expect(signing.isIdle).toBe(true)
})

it('what comes while others are hashed is signed next, at most 256 at a time', async () => {
  const { signing, signed, hashed } = scene(300)
  for (let piece = 0; piece < 299; piece++) signing.add(piece)
  signing.begin()
  signing.add(299)
  signing.begin()
  hashed(...Array.from({ length: 300 }, (_, piece) => piece))
  await expect.poll(() => signed.map(({ length }) => length)).toEqual([256, 44])
})

it('a piece that is gone when its hash is known, or cannot be read, is not signed', async () => {
  const { signing, signed, hashed, unreadable } = scene(3)
  for (const piece of [0, 1, 2]) signing.add(piece)
  signing.begin()
  signing.remove(1)
  unreadable(2)
  hashed(0, 1)
  await expect.poll(() => signed).toEqual([[0]])
})

it('one piece is signed at once for who asks for it', async () => {
  const { signing, signed, hashed } = scene(2)
  hashed(1)
  signing.add(1)
  await signing.sign(1)
  expect(signed).toEqual([[1]])
  expect(signing.isIdle).toBe(true)
})

it('one piece that is removed while it is hashed for who asks for it is not signed', async () => {
  const { signing, signed, hashed } = scene(2)
  const signs = signing.sign(1)
  signing.remove(1)
  hashed(1)
  await signs
  expect(signed).toEqual([])
})

it('nothing is begun after it was stopped', () => {
  const { signing } = scene(1)
  signing.add(0)
  signing.stop()
  signing.begin()
  expect(signing.pieces).toEqual([0])
})
