import type { PlannedHost } from '../plan.ts'
import type { AgentProcess } from './agent-process.ts'
import type { Link, Place } from './network.ts'

/** A host of the plan with its agent, or, for one that lies, what runs in an agent's place. */
export interface LiveHost {
  readonly planned: PlannedHost
  readonly place: Place
  /** Its own link when nothing is wrong with it. */
  readonly link: Link
  readonly agent: AgentProcess
}

/** It sends wrong pieces, and pulls nothing. */
export function isLiar ({ faults }: PlannedHost): boolean {
  return faults.some(({ type }) => type === 'lie')
}
