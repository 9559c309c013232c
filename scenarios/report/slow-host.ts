import { durationText, rateText } from '../quantity-text.ts'
import type { HostResult, Result, WaitCause } from '../result.ts'

/** Of a host's time: what it waited for less than that did not make it slow. */
const SMALL_WAIT = 0.02
const MAX_CAUSES = 3
/** Of a link's rate: who had so much of it on average had it all. */
const FULL_LINK = 0.85

/** Before the time that it took. */
const CAUSES: Readonly<Record<WaitCause, string>> = {
  discovery: 'looked for others that pull the same image for',
  members: 'waited for others to have, or to send, what it lacked for',
  origin: 'waited for the origin for',
  owner: 'waited for the host whose turn it was to ask the origin for',
  'own-link': 'its own link was full for',
  verify: 'had its bytes checked for',
  down: 'was switched off or away for'
}
const FAULTS: Readonly<Record<string, string>> = {
  kill: 'it was killed',
  restart: 'it was restarted',
  slow: 'its link was made slow',
  stall: 'it stalled',
  lie: 'it was made a liar'
}

/** Those that are not done come first; who had nothing to pull or went away has no place in it. */
export function rankSlowest (hosts: readonly HostResult[]): HostResult[] {
  const time = ({ startedMs, doneMs }: HostResult): number => doneMs === null || startedMs === null ? Infinity : doneMs - startedMs
  return hosts.filter(({ outcome, startedMs }) => outcome !== 'idle' && outcome !== 'left' && startedMs !== null)
    .sort((a, b) => a === b || time(a) === time(b) ? 0 : time(b) - time(a))
}

/** What held a host up, in words. */
export function reasonOf (host: HostResult, { durationMs, scenario }: Pick<Result, 'durationMs' | 'scenario'>): string {
  const spentMs = (host.doneMs ?? durationMs) - (host.startedMs ?? 0)
  const waits = (Object.entries(host.waits) as Array<[WaitCause, number]>)
    .filter(([, ms]) => ms >= SMALL_WAIT * spentMs)
    .sort(([, a], [, b]) => b - a)
    .slice(0, MAX_CAUSES)
    .map(([cause, ms]) => `${CAUSES[cause]} ${durationText(ms)}`)
  const fault = host.fault === null ? [] : [FAULTS[host.fault] ?? host.fault]
  const reasons = [...fault, ...waits]
  return reasons.length === 0 ? paceOf(host, spentMs, scenario) : reasons.join('; ')
}

/** A host that hardly waited: how much of its link it could use. */
function paceOf ({ group, fromMembers, fromOrigin }: HostResult, spentMs: number, { groups, agent }: Result['scenario']): string {
  const link = Math.min(groups.find(({ name }) => name === group)?.down ?? Infinity, agent.downloadLimit)
  if (fromMembers + fromOrigin === 0) return 'it received nothing'
  const pace = (fromMembers + fromOrigin) / spentMs * 1000
  return pace >= FULL_LINK * link
    ? `its own link of ${rateText(link)} was full`
    : `hardly waited, but got ${rateText(pace)} where its link carries ${rateText(link)}`
}

/** How long it took, or what became of it. @param runMs - of the whole run */
export function timeOf ({ startedMs, doneMs, outcome }: HostResult, runMs: number): string {
  if (doneMs !== null && startedMs !== null) return durationText(doneMs - startedMs)
  return outcome === 'failed' ? 'gave up' : `not done after ${durationText(runMs - (startedMs ?? 0))}`
}
