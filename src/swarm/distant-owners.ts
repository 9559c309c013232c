import { RecentSet } from '../recent.ts'
import { standingOf, type OwnershipSeed, type SeedOf } from './ownership.ts'
import { foremostOf, READERS, type Standing } from './readers.ts'

/** Names kept; of more, those that stand highest. */
const MAX_NAMES = 64

/** Names of those that are not there, so that nobody's word brings them back; of more, the oldest are forgotten. */
const MAX_DISMISSED = 64

/** An agent that is known by name only. */
export interface DistantOwner extends Standing {
  readonly name: string
  readonly seed: OwnershipSeed
}

/**
 * Agents that fetch the same blob and that we know by name only: their pieces come to us by way of our members. Those that stand
 * highest read from the origin all the same, or each small neighbourhood of a large swarm would read the whole from it.
 */
export class DistantOwners {
  readonly #seedOf: SeedOf
  readonly #byName = new Map<string, DistantOwner>()
  readonly #dismissed = new RecentSet<string>(MAX_DISMISSED)
  /** The highest first. */
  #foremost: readonly DistantOwner[] | undefined
  #isClosed = false

  constructor (seedOf: SeedOf) {
    this.#seedOf = seedOf
  }

  get size (): number {
    return this.#byName.size
  }

  /** As many as there are readers at the most, those that stand highest, the highest first. Another list whenever it has changed. */
  get foremost (): readonly DistantOwner[] {
    this.#foremost ??= foremostOf([...this.#byName.values()])
    return this.#foremost
  }

  add (name: string): void {
    if (this.#isClosed || this.#byName.has(name) || this.#dismissed.has(name)) return
    const seed = this.#seedOf(name)
    const owner = { name, seed, standing: standingOf(seed) }
    if (this.#byName.size === MAX_NAMES && !this.#makeRoom(owner)) return
    this.#byName.set(name, owner)
    const last = this.#foremost?.at(-1)
    if (last === undefined || this.#byName.size <= READERS || owner.standing > last.standing) this.#foremost = undefined
  }

  /** It takes part with us. */
  met (name: string): void {
    this.#dismissed.delete(name)
    this.#delete(name)
  }

  /** It is gone, or nobody reaches it: others may not have heard of that yet, and go on naming it. */
  dismiss (name: string): void {
    this.#delete(name)
    if (!this.#isClosed) this.#dismissed.add(name)
  }

  /** They have kept us waiting: nothing is left to them from now on. */
  close (): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#byName.clear()
    this.#dismissed.clear()
    this.#foremost = undefined
  }

  #delete (name: string): void {
    const gone = this.#byName.get(name)
    if (gone === undefined) return
    this.#byName.delete(name)
    if (this.#foremost?.includes(gone) === true) this.#foremost = undefined
  }

  /** @returns whether it stands higher than one of those that are kept, which then is kept no longer */
  #makeRoom ({ standing }: DistantOwner): boolean {
    let lowest: DistantOwner | undefined
    for (const one of this.#byName.values()) if (lowest === undefined || one.standing < lowest.standing) lowest = one
    if (lowest === undefined || lowest.standing >= standing) return false
    this.#byName.delete(lowest.name)
    return true
  }
}
