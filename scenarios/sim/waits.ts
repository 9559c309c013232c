import type { WaitCause } from '../result.ts'
import type { SimHost } from './host.ts'

/** A link in use to this part is what holds its host up. */
const FULL_LOAD = 0.85

/** What a host waits for now that it has not all it wants: the reason that comes first in `WaitCause`. */
export function waitOf (host: SimHost): WaitCause {
  if (!host.isActive) return 'down'
  if (host.down.load >= FULL_LOAD) return 'own-link'
  const fetching = [...host.parts.values()].filter(part => part.isFetching)
  // which manifest it is has to be known first
  if (fetching.length === 0) return host.isOriginConnected ? 'origin' : 'discovery'
  if (fetching.some(({ session }) => session.requested > 0)) return 'members'
  if (fetching.some(({ reading }) => reading !== undefined)) return 'origin'
  if (fetching.some(({ isChecking, session }) => isChecking || session.isComplete)) return 'verify'
  if (fetching.every(({ session }) => session.members.size === 0)) return 'discovery'
  for (const { session } of fetching) for (const { taking } of session.members.values()) if (taking.size > 0) return 'owner'
  return 'members'
}
