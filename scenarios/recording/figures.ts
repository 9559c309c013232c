import { completionOf, lastDoneMs } from './completion.ts'
import type { GroupResult, Result, Series } from '../result.ts'
import type { HostRecord } from './host-record.ts'

/** What was sent within less says little: real bytes come in bursts. */
const PEAK_MS = 1000

/** Sums of a whole run; bytes but for the requests. */
export interface Totals {
  fromMembers: number
  inVain: number
  control: number
  border: number
  wrong: number
  originBytes: number
  originRequests: number
}

export interface FigureFacts {
  readonly hosts: readonly HostRecord[]
  /** Names, in the order of the scenario. */
  readonly groups: readonly string[]
  readonly totals: Totals
  readonly series: Pick<Series, 'originBytes' | 'stepMs'>
  readonly liarsBannedShare: number | null
  /** Whether the engine tells of messages between agents. */
  readonly countsControl: boolean
}

/** All of `FIGURES`, always in the same order. */
export function figuresOf ({ hosts, groups, totals, series, liarsBannedShare, countsControl }: FigureFacts): Result['figures'] {
  const all = completionOf(hosts)
  const ofGroups = groups.flatMap(name => {
    const { p50, p90, p99, max, doneShare } = completionOf(membersOf(name, hosts))
    return Object.entries({ 'completion.p50': p50, 'completion.p90': p90, 'completion.p99': p99, 'completion.max': max, 'done.share': doneShare })
      .map(([figure, value]) => [`group.${name}.${figure}`, value] as const)
  })
  return {
    'completion.p50': all.p50,
    'completion.p90': all.p90,
    'completion.p99': all.p99,
    'completion.p99.9': all.p999,
    'completion.max': all.max,
    ...Object.fromEntries(ofGroups),
    'done.share': all.doneShare,
    'failed.hosts': hosts.filter(({ outcome }) => outcome === 'failed').length,
    duration: lastDoneMs(hosts),
    'origin.bytes': totals.originBytes,
    'origin.requests': totals.originRequests,
    'origin.peak': peakOf(series),
    'members.bytes': totals.fromMembers,
    'vain.bytes': totals.inVain,
    'control.bytes': countsControl ? totals.control : null,
    'border.bytes': totals.border,
    'wrong.bytes': totals.wrong,
    'liars.banned.share': liarsBannedShare
  }
}

/** Bytes per second: of the fullest second, or of all where the run has none. */
function peakOf ({ originBytes, stepMs }: FigureFacts['series']): number {
  const steps = Math.max(1, Math.min(originBytes.length, Math.ceil(PEAK_MS / stepMs)))
  let sum = 0
  let most = 0
  for (const [step, bytes] of originBytes.entries()) {
    sum += bytes - (originBytes[step - steps] ?? 0)
    most = Math.max(most, sum)
  }
  return most / (steps * stepMs) * 1000
}

/** Hosts are those whose completion counts; bytes are of all. */
export function groupResult (name: string, hosts: readonly HostRecord[]): GroupResult {
  const members = membersOf(name, hosts)
  const { counted, done, p50, p90, p99, max } = completionOf(members)
  const sum = (source: 'fromOrigin' | 'fromMembers'): number => members.reduce((bytes, host) => bytes + host[source], 0)
  return { name, hosts: counted, done, p50, p90, p99, max, fromOrigin: sum('fromOrigin'), fromMembers: sum('fromMembers') }
}

function membersOf (group: string, hosts: readonly HostRecord[]): HostRecord[] {
  return hosts.filter(({ planned }) => planned.group.name === group)
}
