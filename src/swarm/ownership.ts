import { hash } from 'node:crypto'

/** Neighbouring pieces have one owner: it reads them by one request, and a request costs the origin the same whatever its length. */
export const GROUP_PIECES = 4

/**
 * Who reads which piece from the origin: rendezvous hashing. Every agent computes the same rank of a member for a piece, so
 * those who know of the same members agree on its owner without a word; a member that comes or goes moves only its own share.
 *
 *     seed  = the first 8 bytes of sha256(digest LF peer id), two unsigned 32-bit numbers, big endian: high, low
 *     group = floor(piece / 4)
 *     rank  = mix(low xor mix(high + group × 0x9e3779b9)), all modulo 2^32; the highest owns the pieces of the group
 *     mix x = the 32-bit finalizer of MurmurHash3
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

  /** Who ranks highest owns the piece. An unsigned 32-bit number. */
  rank (piece: number): number {
    return this.order(groupOf(piece))
  }

  /** A number that looks random and is the same whenever asked. Unsigned, 32 bits. */
  order (index: number): number {
    return mix(this.#low ^ mix((this.#high + Math.imul(index, 0x9e3779b9)) >>> 0))
  }
}

/** The seed of an agent, for one blob. */
export type SeedOf = (peer: string) => OwnershipSeed

/** Pieces of one group have the same ranks. */
export function groupOf (piece: number): number {
  return Math.floor(piece / GROUP_PIECES)
}

/** The last piece of the group. */
export function lastOfGroup (piece: number): number {
  return (groupOf(piece) + 1) * GROUP_PIECES - 1
}

function mix (value: number): number {
  let x = value >>> 0
  x = Math.imul(x ^ x >>> 16, 0x85ebca6b)
  x = Math.imul(x ^ x >>> 13, 0xc2b2ae35)
  return (x ^ x >>> 16) >>> 0
}
