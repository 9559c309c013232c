import { createHash } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { beforeAll, describe, expect, it } from 'vitest'
import { Vouchers } from '../../src/exchange/vouchers.ts'
import { decodeAttestation, signAttestation, type Attestation } from '../../src/net/swarm-attestation.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { pieceCount } from '../../src/swarm/pieces.ts'

const SIZE = 2 ** 31
const PIECES = pieceCount(SIZE)
const ROOM = PIECES * 4096
const digest = digestOf(Buffer.from('a blob'))
const all = Array.from({ length: PIECES }, (_, piece) => piece)
let key: Ed25519PrivateKey

beforeAll(async () => { key = await generateKeyPair('Ed25519') })

/** A list, as it comes from a member. */
function list (pieces: readonly number[], content = ''): Attestation {
  const hashes = pieces.map(piece => ({ piece, sha256: createHash('sha256').update(`${content} ${piece}`).digest() }))
  return decodeAttestation(Uint8Array.from(signAttestation(key, { digest, size: SIZE, hashes }).bytes))
}

function hashOf (piece: number, content = ''): Uint8Array {
  return createHash('sha256').update(`${content} ${piece}`).digest()
}

describe('the lists of one blob', () => {
  it('take no more memory than there is room for, however many one member brings', () => {
    const vouchers = new Vouchers({ digest, size: SIZE, isEager: false, isTrusted: () => false })
    const admissions = Array.from({ length: 150 }, (_, index) => vouchers.add(list(all, `${index}`), 'flooder'))
    expect(new Set(admissions)).toEqual(new Set(['kept', 'dropped']))
    expect(vouchers.bytes).toBeLessThanOrEqual(ROOM)
    expect(vouchers.of(0).length).toBe(admissions.filter(one => one === 'kept').length)
  })

  it('of a member that brings many give way to those of one that brings few', () => {
    const vouchers = new Vouchers({ digest, size: SIZE, isEager: false, isTrusted: () => false })
    for (let index = 0; index < 150; index++) vouchers.add(list(all, `${index}`), index % 2 === 0 ? 'flooder' : 'another')
    expect(vouchers.add(list(all, 'right'), 'honest')).toBe('kept')
    expect(vouchers.match(7, hashOf(7, 'right'))).toBeDefined()
    expect(vouchers.bytes).toBeLessThanOrEqual(ROOM)
    expect(['flooder', 'another', 'honest'].map(peer => vouchers.isJudgeable(peer))).toEqual([false, false, true])
  })

  it('that pieces here stand on stay, and so do those that several have brought', () => {
    const vouchers = new Vouchers({ digest, size: SIZE, isEager: false, isTrusted: () => false })
    const [used, shared] = [list(all, 'used'), list(all, 'shared')]
    for (const one of [used, shared]) vouchers.add(one, 'flooder')
    vouchers.add(shared, 'honest')
    vouchers.settle(3, used)
    for (let index = 0; index < 150; index++) vouchers.add(list(all, `${index}`), 'flooder')
    for (let index = 0; index < 20; index++) expect(vouchers.add(list(all, `honest ${index}`), 'honest')).toBe('kept')
    expect(vouchers.of(3)).toEqual(expect.arrayContaining([used, shared]))
    expect(vouchers.isJudgeable('honest')).toBe(true)
  })

  it('of our own always find room', () => {
    const vouchers = new Vouchers({ digest, size: SIZE, isEager: false, isTrusted: () => false })
    for (let index = 0; index < 150; index++) vouchers.add(list(all, `${index}`), 'flooder')
    expect(vouchers.add(list(all, 'ours'))).toBe('kept')
    expect(vouchers.match(0, hashOf(0, 'ours'))).toBeDefined()
  })

  it('are told from lists about another blob, and from forged ones', () => {
    const vouchers = new Vouchers({ digest, size: SIZE, isEager: true, isTrusted: () => false })
    const good = list([1])
    const forged = Uint8Array.from(good.bytes)
    forged[forged.length - 1] = (forged.at(-1) ?? 0) ^ 1
    expect(vouchers.add(decodeAttestation(forged), 'liar')).toBe('wrong')
    expect(vouchers.add(signAttestation(key, { digest: digestOf(Buffer.from('another')), size: SIZE, hashes: [{ piece: 1, sha256: hashOf(1) }] }), 'liar')).toBe('wrong')
    expect(vouchers.add(good, 'honest')).toBe('kept')
    expect(vouchers.of(1)).toEqual([good])
  })

  describe('where signatures are not looked at when they come', () => {
    /** A list under a signature that is not its own. */
    function forgedWith ({ signature }: Attestation, pieces: readonly number[], content: string): Attestation {
      const bytes = Uint8Array.from(list(pieces, content).bytes)
      bytes.set(signature, bytes.length - signature.length)
      return decodeAttestation(bytes)
    }

    const keyed = (): Vouchers => new Vouchers({ digest, size: SIZE, isEager: false, isTrusted: () => true })

    it('forged ones are forgotten when somebody is to be blamed, with what is here on their word, and no longer kept; nobody answers for them', () => {
      const vouchers = keyed()
      const [good, forged] = [list([1, 2]), forgedWith(list([7]), [2, 3], 'forged')]
      for (const one of [good, forged]) vouchers.add(one, 'relay')
      vouchers.settle(1, good)
      vouchers.settle(3, forged)
      expect(vouchers.dropForged()).toEqual([3])
      expect([vouchers.of(1), vouchers.of(2), vouchers.of(3)]).toEqual([[good], [good], []])
      expect([vouchers.settled(1), vouchers.settled(3)]).toEqual([good, undefined])
      expect(vouchers.add(forged, 'another')).toBe('dropped')
      expect(['relay', 'another'].map(peer => vouchers.isJudgeable(peer))).toEqual([false, false])
      expect(vouchers.dropForged()).toEqual([])
    })

    it('one that bears the signature of another does not keep that out, whichever comes first', () => {
      const good = list([1])
      const forged = forgedWith(good, [1, 2], 'forged')
      for (const order of [[good, forged], [forged, good]]) {
        const vouchers = keyed()
        for (const one of order) vouchers.add(one, one === good ? 'honest' : 'liar')
        expect(vouchers.of(1)).toEqual([good])
        expect(vouchers.isJudgeable('honest')).toBe(true)
      }
    })
  })

  it('of an author that is no longer believed say nothing any more, and excuse those who pass them on', () => {
    const vouchers = new Vouchers({ digest, size: SIZE, isEager: false, isTrusted: () => false })
    const one = list([1, 2])
    vouchers.add(one, 'a')
    vouchers.settle(2, one)
    vouchers.discredit(one.author)
    expect(vouchers.add(list([3]), 'b')).toBe('kept')
    expect([vouchers.settled(2), vouchers.authors(), vouchers.match(1, hashOf(1)), vouchers.match(3, hashOf(3))]).toEqual([undefined, [], undefined, undefined])
    expect([1, 3].map(piece => vouchers.isAttested(piece, hashOf(piece)))).toEqual([true, true])
    expect(vouchers.isAttested(1, hashOf(2))).toBe(false)
    expect(['a', 'b'].map(peer => vouchers.isJudgeable(peer))).toEqual([true, true])
  })

  it('leave a piece an orphan when their author is no longer believed, until another says so, it is gone, or the whole is right', () => {
    const vouchers = new Vouchers({ digest, size: SIZE, isEager: false, isTrusted: () => false })
    const one = list([1, 2, 3])
    vouchers.add(one, 'a')
    for (const piece of [1, 2, 3]) vouchers.settle(piece, one)
    const orphans = (): number[] => [0, 1, 2, 3, 4].filter(piece => vouchers.isOrphan(piece))
    expect(orphans()).toEqual([])
    vouchers.discredit(one.author)
    vouchers.orphan(4)
    expect(orphans()).toEqual([1, 2, 3, 4])
    vouchers.settle(1, list([1]))
    vouchers.unsettle(2)
    expect(orphans()).toEqual([3, 4])
    vouchers.allRight()
    expect(orphans()).toEqual([])
  })
})
