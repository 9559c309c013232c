import { GROUP_PIECES, groupOf, type OwnershipSeed, type SeedOf } from './ownership.ts'

/** Names kept; of more, the first stay. */
const MAX_NAMES = 512

/**
 * Agents that fetch the same blob and that we know by name only: their pieces come to us by way of our members. They own what
 * they own all the same, or each small neighbourhood of a large swarm would read the whole from the origin.
 */
export class DistantOwners {
  readonly #seedOf: SeedOf
  readonly #seeds = new Map<string, OwnershipSeed>()
  /** The highest rank among them, one for each group of pieces. */
  readonly #best: Uint32Array
  #isClosed = false
  #changes = 0

  constructor (seedOf: SeedOf, pieces: number) {
    this.#seedOf = seedOf
    this.#best = new Uint32Array(Math.ceil(pieces / GROUP_PIECES))
  }

  get size (): number {
    return this.#seeds.size
  }

  /** How often anything has changed. */
  get changes (): number {
    return this.#changes
  }

  add (name: string): void {
    if (this.#isClosed || this.#seeds.size === MAX_NAMES || this.#seeds.has(name)) return
    const seed = this.#seedOf(name)
    this.#seeds.set(name, seed)
    this.#changes++
    for (let group = 0; group < this.#best.length; group++) this.#count(seed, group)
  }

  delete (name: string): void {
    const gone = this.#seeds.get(name)
    if (gone === undefined) return
    this.#seeds.delete(name)
    this.#changes++
    for (let group = 0; group < this.#best.length; group++) {
      if (gone.order(group) !== this.#best[group]) continue
      this.#best[group] = 0
      for (const seed of this.#seeds.values()) this.#count(seed, group)
    }
  }

  /** Whether one of them ranks higher for the piece. */
  isAbove (rank: number, piece: number): boolean {
    return (this.#best[groupOf(piece)] ?? 0) > rank
  }

  /** They have kept us waiting: nothing is left to them from now on. */
  close (): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#seeds.clear()
    this.#best.fill(0)
    this.#changes++
  }

  #count (seed: OwnershipSeed, group: number): void {
    this.#best[group] = Math.max(this.#best[group] ?? 0, seed.order(group))
  }
}
