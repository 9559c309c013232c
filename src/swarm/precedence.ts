import type { DistantOwner } from './distant-owners.ts'
import type { Member } from './member.ts'
import type { OwnershipSeed } from './ownership.ts'
import type { PieceGroups } from './piece-groups.ts'
import { PieceMask } from './piece-mask.ts'

const UNKNOWN = -1

export interface PrecedenceInit {
  readonly self: OwnershipSeed
  /** Of the blob. */
  readonly pieces: number
  readonly groups: PieceGroups
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
  readonly #groups: PieceGroups
  #contenders: readonly Member[] = []
  #distant: readonly DistantOwner[] = []
  #isReader = true
  #isKnown = false
  /** How many rank before us, by group. */
  readonly #before: Int16Array
  /** Which contender ranks highest, by group. */
  readonly #owners: Int16Array

  constructor ({ self, pieces, groups }: PrecedenceInit) {
    this.#self = self
    this.#groups = groups
    this.own = new PieceMask(pieces)
    this.ranked = new PieceMask(pieces)
    this.#before = new Int16Array(Math.ceil(pieces / groups.length))
    this.#owners = new Int16Array(this.#before.length)
  }

  /**
   * From now on.
   * @param contenders - members that may own what they lack
   * @param distant - others that may, of whom we know the name only
   * @param isReader - we may too; else all of them rank before us for everything
   */
  among (contenders: readonly Member[], distant: readonly DistantOwner[], isReader: boolean): void {
    if (this.#isKnown && isReader === this.#isReader && isSame(distant, this.#distant) && isSame(contenders, this.#contenders)) return
    this.#isKnown = true
    this.#isReader = isReader
    this.#distant = distant
    this.#contenders = contenders
    this.#before.fill(UNKNOWN)
    this.#owners.fill(UNKNOWN)
    this.own.clear()
    this.ranked.clear()
    if (!isReader && distant.length > 0) return
    for (let group = 0; group < this.#before.length; group++) {
      const rank = this.#self.rank(group)
      if (distant.some(({ seed }) => seed.rank(group) > rank)) continue
      const first = group * this.#groups.length
      const last = this.#groups.last(first)
      this.ranked.addRange(first, last)
      if (!contenders.some(member => this.#isBefore(member, group))) this.own.addRange(first, last)
    }
  }

  /** How many rank before us; undefined when one whom we know by name only does. */
  before (piece: number): number | undefined {
    if (!this.ranked.has(piece)) return undefined
    const group = this.#groups.of(piece)
    const known = this.#before[group] ?? UNKNOWN
    const before = known === UNKNOWN ? this.#count(group) : known
    this.#before[group] = before
    return before
  }

  /** Who ranks highest of those before us, if we know all of them. */
  owner (piece: number): Member | undefined {
    if ((this.before(piece) ?? 0) === 0) return undefined
    const group = this.#groups.of(piece)
    const known = this.#owners[group] ?? UNKNOWN
    const owner = known === UNKNOWN ? this.#highest(group) : known
    this.#owners[group] = owner
    return this.#contenders[owner]
  }

  #highest (group: number): number {
    let highest = 0
    for (const [index, { ownership }] of this.#contenders.entries()) {
      if (ownership.rank(group) > (this.#contenders[highest]?.ownership.rank(group) ?? 0)) highest = index
    }
    return highest
  }

  #count (group: number): number {
    let before = 0
    for (const member of this.#contenders) if (this.#isBefore(member, group)) before++
    return before
  }

  #isBefore ({ ownership }: Member, group: number): boolean {
    return !this.#isReader || ownership.rank(group) > this.#self.rank(group)
  }
}

function isSame<Value> (one: readonly Value[], other: readonly Value[]): boolean {
  return one.length === other.length && one.every((value, index) => value === other[index])
}
