import { shuffled } from './sample.ts'

/** Of those named at random such a part are of the hearer's zone: who heard of these alone would belong to an island. */
const HOME_PART = 1 / 2

export interface Naming<Agent> {
  /** Who hears of them, and is not told of itself. */
  readonly hearer: Agent
  /** Those that read from the origin, as far as is known. */
  readonly foremost: readonly Agent[]
  /** Who else takes part. */
  readonly others: readonly Agent[]
  /** Who wants the same and is no member, as one of us had no room for the other: named to those of its zone. @default nobody */
  readonly aside?: readonly Agent[] | undefined
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
export function whomToName<Agent> ({ hearer, foremost, others, aside = [], isHome, most, random }: Naming<Agent>): Agent[] {
  const first = foremost.filter(agent => agent !== hearer)
  const rest = shuffled([...others, ...aside.filter(isHome)].filter(agent => agent !== hearer && !first.includes(agent)), random)
  const room = Math.max(0, most - first.length)
  const home = rest.filter(isHome).slice(0, Math.ceil(room * HOME_PART))
  return [...first, ...home, ...rest.filter(other => !home.includes(other))].slice(0, most)
}
