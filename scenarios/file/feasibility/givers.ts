import type { PlannedHost } from '../../plan.ts'
import type { LayerSpec, Scenario } from '../../scenario.ts'

/** Layers that a host pulls and has not. */
export function lackedBy ({ pull, held }: PlannedHost): LayerSpec[] {
  return pull?.layers.filter(({ name }) => !held.has(name)) ?? []
}

/** Whether others can ever have anything from a host. */
export function canGive ({ group }: PlannedHost): boolean {
  return group.up > 0 && !group.isLeech
}

/** A key of the file that keeps all from the origin, why, and what to do. */
export interface OriginObstacle {
  readonly path: readonly PropertyKey[]
  readonly reason: string
  readonly remedy: string
}

/** Why nobody can ever have anything from the origin; undefined: it gives. @param fromMs - when the first host begins */
export function originObstacle ({ origin, agent, limitMs }: Scenario, fromMs: number): OriginObstacle | undefined {
  if (origin === undefined) return { path: ['origin'], reason: 'there is no origin', remedy: 'add one' }
  if (agent.originPolicy === 'never') return { path: ['agent', 'originPolicy'], reason: 'the agents never ask the origin', remedy: 'let them ask it (balanced)' }
  let reachedMs = fromMs
  for (const outage of origin.outages.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (outage.fromMs <= reachedMs) reachedMs = Math.max(reachedMs, outage.toMs)
  }
  return reachedMs > fromMs && reachedMs >= limitMs ? { path: ['origin', 'outages'], reason: 'the origin is down all along', remedy: 'let it be up for a while' } : undefined
}

/** When a host begins; of one that waits for others of its rolling pull the earliest time. */
export function earliestStart (scenario: Scenario, { group, pull }: PlannedHost): number {
  return pull?.startMs ?? scenario.pulls.find(({ groups }) => groups.includes(group.name))?.arrival.fromMs ?? 0
}

/** Some names for people: `a`, `a and b`, `a and 7 others`. */
export function named (names: readonly string[]): string {
  return names.length <= 2 ? names.join(' and ') : `${names[0] ?? ''} and ${names.length - 1} others`
}
