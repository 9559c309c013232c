import type { PlannedHost } from '../plan.ts'
import type { HostOutcome, HostResult, WaitCause } from '../result.ts'

/** In the order in which they are written. */
const WAIT_CAUSES: readonly WaitCause[] = ['discovery', 'members', 'origin', 'owner', 'own-link', 'verify', 'down']

/** What is known of one host, as it goes. */
export interface HostRecord {
  readonly index: number
  readonly planned: PlannedHost
  /** Of what it pulls, when it first began. */
  lackedBytes: number
  startedMs: number | null
  doneMs: number | null
  outcome: HostOutcome
  fromOrigin: number
  fromMembers: number
  given: number
  readonly waits: Map<WaitCause, number>
}

export function newHostRecord (planned: PlannedHost, index: number): HostRecord {
  return {
    index,
    planned,
    lackedBytes: 0,
    startedMs: null,
    doneMs: null,
    outcome: planned.pull === undefined ? 'idle' : 'pending',
    fromOrigin: 0,
    fromMembers: 0,
    given: 0,
    waits: new Map()
  }
}

export function hostResult ({ planned, startedMs, doneMs, outcome, fromOrigin, fromMembers, given, waits }: HostRecord): HostResult {
  return {
    name: planned.name,
    group: planned.group.name,
    startedMs,
    doneMs,
    outcome,
    fault: planned.faults[0]?.type ?? null,
    fromOrigin,
    fromMembers,
    given,
    waits: Object.fromEntries(WAIT_CAUSES.flatMap(cause => waits.has(cause) ? [[cause, waits.get(cause)]] : []))
  }
}

/** It sends wrong pieces on purpose, so what becomes of it is of no interest. */
export function isLiar ({ planned }: HostRecord): boolean {
  return planned.faults.some(({ type }) => type === 'lie')
}

/** Whether it is among those whose completion counts: it pulls, has not gone away for good before it was done, and is no liar. */
export function isCounted (host: HostRecord): boolean {
  return host.outcome !== 'idle' && host.outcome !== 'left' && !isLiar(host)
}
