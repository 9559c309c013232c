import type { DistantOwners } from './distant-owners.ts'
import type { Member } from './member.ts'
import { GROUP_PIECES, groupOf, lastOfGroup, type OwnershipSeed } from './ownership.ts'
import { PieceMask } from './piece-mask.ts'

const UNKNOWN = -1

export interface PrecedenceInit {
  readonly self: OwnershipSeed
  readonly distant: DistantOwners
  readonly isLeech: boolean
  /** Of the blob. */
  readonly pieces: number
}

/**
 * Who ranks before us for a piece, of those that may own what they lack. They are mostly the same from one question to the
 * next, so what was found out is kept until they are others.
 */
export class Precedence {
  /** Pieces for which nobody ranks before us. */
  readonly own: PieceMask
  /** Pieces for which no one whom we know by name only does. */
  readonly ranked: PieceMask
  readonly #self: OwnershipSeed
  readonly #distant: DistantOwners
  readonly #isLeech: boolean
  #contenders: readonly Member[] = []
  /** `changes` of the distant ones. */
  #distantChanges = -1
  /** How many rank before us, by group. */
  readonly #before: Int16Array
  /** Which contender ranks highest, by group. */
  readonly #owners: Int16Array

  constructor ({ self, distant, isLeech, pieces }: PrecedenceInit) {
    this.#self = self
    this.#distant = distant
    this.#isLeech = isLeech
    this.own = new PieceMask(pieces)
    this.ranked = new PieceMask(pieces)
    this.#before = new Int16Array(groupOf(pieces + GROUP_PIECES - 1))
    this.#owners = new Int16Array(this.#before.length)
  }

  /** Members that may own what they lack, from now on. */
  among (contenders: readonly Member[]): void {
    const { changes } = this.#distant
    if (changes === this.#distantChanges && isSame(contenders, this.#contenders)) return
    this.#distantChanges = changes
    this.#contenders = contenders
    this.#before.fill(UNKNOWN)
    this.#owners.fill(UNKNOWN)
    this.own.clear()
    this.ranked.clear()
    for (let piece = 0; piece < this.own.length; piece = lastOfGroup(piece) + 1) {
      if (this.#distant.isAbove(this.#self.rank(piece), piece)) continue
      this.ranked.addRange(piece, lastOfGroup(piece))
      if (!contenders.some(member => this.#isBefore(member, piece))) this.own.addRange(piece, lastOfGroup(piece))
    }
  }

  /** How many rank before us; undefined when one whom we know by name only does. */
  before (piece: number): number | undefined {
    if (!this.ranked.has(piece)) return undefined
    const group = groupOf(piece)
    const known = this.#before[group] ?? UNKNOWN
    const before = known === UNKNOWN ? this.#count(piece) : known
    this.#before[group] = before
    return before
  }

  /** Who ranks highest of those before us, if we know all of them. */
  owner (piece: number): Member | undefined {
    if ((this.before(piece) ?? 0) === 0) return undefined
    const group = groupOf(piece)
    const known = this.#owners[group] ?? UNKNOWN
    const owner = known === UNKNOWN ? this.#highest(piece) : known
    this.#owners[group] = owner
    return this.#contenders[owner]
  }

  #highest (piece: number): number {
    let highest = 0
    for (const [index, { ownership }] of this.#contenders.entries()) {
      if (ownership.rank(piece) > (this.#contenders[highest]?.ownership.rank(piece) ?? 0)) highest = index
    }
    return highest
  }

  #count (piece: number): number {
    let before = 0
    for (const member of this.#contenders) if (this.#isBefore(member, piece)) before++
    return before
  }

  /** Nobody could get it from a leech, so it owns nothing that anybody else may read. */
  #isBefore ({ ownership }: Member, piece: number): boolean {
    return this.#isLeech || ownership.rank(piece) > this.#self.rank(piece)
  }
}

function isSame (one: readonly Member[], other: readonly Member[]): boolean {
  return one.length === other.length && one.every((member, index) => member === other[index])
}
