import { shuffled } from './sample.ts'

/** Of those named at random such a part are of the hearer's zone: who heard of these alone would belong to an island. */
const HOME_PART = 1 / 2

export interface Naming<Agent> {
  /** Those that read from the origin, as far as is known. */
  readonly foremost: readonly Agent[]
  /** Who else takes part. */
  readonly others: readonly Agent[]
  /** Whether it is in the zone of the one who hears of it, as both say. */
  readonly isHome: (agent: Agent) => boolean
  /** Named at the most. */
  readonly most: number
  /** Numbers in [0, 1). */
  readonly random: () => number
}

/**
 * Whom to name to one who takes part: who reads from the origin, of whom all should know; then some of its own zone, which it may
 * not find by itself among very many, and every piece that one of them has need not cross the border for it; then any.
 */
export function whomToName<Agent> ({ foremost, others, isHome, most, random }: Naming<Agent>): Agent[] {
  const rest = shuffled(others.filter(other => !foremost.includes(other)), random)
  const room = Math.max(0, most - foremost.length)
  const home = rest.filter(isHome).slice(0, Math.ceil(room * HOME_PART))
  return [...foremost, ...home, ...rest.filter(other => !home.includes(other))].slice(0, most)
}
