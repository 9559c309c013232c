import { hash } from 'node:crypto'

/** Behind all groups of pieces. */
const STANDING_INDEX = 0xffffffff

/**
 * Who reads which piece from the origin: rendezvous hashing. Every agent computes the same rank of a member for a group of pieces
 * (`PieceGroups`), so those who know of the same members agree on its owner without a word; a member that comes or goes moves only
 * its own share.
 *
 *     seed     = the first 8 bytes of sha256(digest LF peer id), two unsigned 32-bit numbers, big endian: high, low
 *     rank     = mix(low xor mix(high + group × 0x9e3779b9)), all modulo 2^32; the highest owns the pieces of the group
 *     mix x    = the 32-bit finalizer of MurmurHash3
 *     standing = the rank for the group 0xffffffff; only the eight that stand highest own anything (`rankReaders`)
 */
export class OwnershipSeed {
  // signed, as such numbers take least memory; modulo 2^32 they are the same
  readonly #high: number
  readonly #low: number

  constructor (digest: string, peer: string) {
    const bytes = hash('sha256', `${digest}\n${peer}`, 'buffer')
    this.#high = bytes.readInt32BE(0)
    this.#low = bytes.readInt32BE(4)
  }

  /** Who ranks highest owns the group. An unsigned 32-bit number. */
  rank (group: number): number {
    return this.order(group)
  }

  /** A number that looks random and is the same whenever asked. Unsigned, 32 bits. */
  order (index: number): number {
    return mix(this.#low ^ mix((this.#high + Math.imul(index, 0x9e3779b9)) >>> 0))
  }
}

/** Who stands highest reads from the origin at all. An unsigned 32-bit number. */
export function standingOf (seed: OwnershipSeed): number {
  return seed.order(STANDING_INDEX)
}

/** The seed of an agent, for one blob. */
export type SeedOf = (peer: string) => OwnershipSeed

function mix (value: number): number {
  let x = value >>> 0
  x = Math.imul(x ^ x >>> 16, 0x85ebca6b)
  x = Math.imul(x ^ x >>> 13, 0xc2b2ae35)
  return (x ^ x >>> 16) >>> 0
}
