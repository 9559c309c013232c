import { SMALL_PIECES } from '../swarm/pieces.ts'
import type { Session } from '../swarm/session.ts'

/** The member that stands highest finds out at once, each next one so much later, but no later than that, in milliseconds. */
const TURN_MS = 1_500
const MAX_TURN_MS = 9_000
/** Who waits for its turn looks so often whether those before it still are, in milliseconds. */
const LOOK_MS = 250

/**
 * Who finds out at the origin why a whole is wrong: most hear from another who has lied, and all would read much of the origin otherwise.
 * The turn comes the sooner, the more of those before us have the right whole meanwhile. For few pieces nobody waits.
 * @param wrongForMs - how long ago the whole was found to be wrong
 * @returns when to look again, in milliseconds from now; 0: it is our turn
 */
export function waitForTurnMs ({ pieces, membersAbove }: Pick<Session, 'pieces' | 'membersAbove'>, wrongForMs: number): number {
  const turnMs = pieces <= SMALL_PIECES ? 0 : Math.min(MAX_TURN_MS, TURN_MS * membersAbove)
  return Math.max(0, Math.min(LOOK_MS, turnMs - wrongForMs))
}
