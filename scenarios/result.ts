import type { Scenario } from './scenario.ts'

/** Of this file's shape; another number when a reader of the old would misread the new. */
export const RESULT_VERSION = 1

export type EngineName = 'sim' | 'live'

/**
 * What a run has shown, of either engine: `result.json`. It has no time of day and no name of a machine, so a simulation gives
 * the same bytes for the same seed. Times are milliseconds from the start of the run, or, where said so, from a host's own start.
 */
export interface Result {
  readonly resultVersion: typeof RESULT_VERSION
  readonly shoal: string
  readonly engine: EngineName
  /** The run was ended before its end: figures are of what had happened. */
  readonly isPartial: boolean
  /** What of the scenario the run left out, or what held it up that is not of the scenario, in sentences. Absent: nothing. */
  readonly notes?: readonly string[]
  readonly scenario: Scenario
  /** What nobody can beat. */
  readonly bound: Bound
  /** Bytes of the layers that are pulled, each once. */
  readonly imageBytes: number
  readonly durationMs: number
  /** By name: see `FIGURES`. Times of completion count from a host's own start. `null`: nobody, or never. */
  readonly figures: Readonly<Record<string, number | null>>
  readonly groups: readonly GroupResult[]
  readonly hosts: readonly HostResult[]
  readonly series: Series
  readonly spread: Spread
  readonly events: readonly RunEvent[]
  /** Events beyond those that are kept. */
  readonly eventsLeftOut: number
  readonly expectations: readonly ExpectationResult[]
}

export interface Bound {
  /** Milliseconds from the first start to the last host's end. */
  readonly ms: number
  /** Which limit it is: what is in the way in words, for people. */
  readonly because: string
}

export interface GroupResult {
  readonly name: string
  readonly hosts: number
  readonly done: number
  readonly p50: number | null
  readonly p90: number | null
  readonly p99: number | null
  readonly max: number | null
  readonly fromOrigin: number
  readonly fromMembers: number
}

/** Waits are milliseconds, by what was waited for: see `WaitCause`. */
export interface HostResult {
  readonly name: string
  readonly group: string
  /** `null`: it never pulled anything. */
  readonly startedMs: number | null
  /** Since the start of the run; `null`: never. */
  readonly doneMs: number | null
  readonly outcome: HostOutcome
  readonly fault: string | null
  readonly fromOrigin: number
  readonly fromMembers: number
  /** Bytes that it gave to others. */
  readonly given: number
  readonly waits: Readonly<Partial<Record<WaitCause, number>>>
}

/** `left`: it was killed or went away. `pending`: the run ended before. `idle`: it had nothing to pull. */
export type HostOutcome = 'done' | 'failed' | 'left' | 'pending' | 'idle'

/**
 * What a host waited for that had begun and lacked something, so that its waits are the time from its start to its end. Looked at
 * ten times a second, the first of these that holds is all of that tenth: `down`, it was dead, away or said nothing; `own-link`,
 * its own link was nearly full; `members`, pieces were asked of them, or they had none to give; `origin`, it read from there;
 * `verify`, its last bytes were checked; `discovery`, it knew nobody who has any of it; `owner`, others read from the origin for it.
 */
export type WaitCause = 'discovery' | 'members' | 'origin' | 'owner' | 'own-link' | 'verify' | 'down'

/** One number for each step. `at[i]` is the end of step i. Counts of bytes are of that step alone. */
export interface Series {
  readonly stepMs: number
  readonly at: readonly number[]
  readonly fromOrigin: readonly number[]
  readonly fromMembers: readonly number[]
  /** Bytes that were sent in vain: twice, wrong, or called off. */
  readonly inVain: readonly number[]
  readonly controlBytes: readonly number[]
  /** That the origin sent, whether they were of use or not. */
  readonly originBytes: readonly number[]
  readonly originRequests: readonly number[]
  /** Hosts done by then. */
  readonly done: readonly number[]
  /** Hosts started by then. */
  readonly started: readonly number[]
}

/** Who had how much when: rows are hosts, in the order in which they were done, of very many only some. */
export interface Spread {
  readonly hosts: readonly string[]
  readonly at: readonly number[]
  /** Parts of what the host lacked when it began, in 1/100; row by row. */
  readonly percent: ReadonlyArray<readonly number[]>
}

/** Something out of the ordinary. `host` `null`: it is of the whole run, or of the origin. */
export interface RunEvent {
  readonly atMs: number
  readonly type: RunEventType
  readonly host: string | null
  readonly detail: string
}

export type RunEventType = 'killed' | 'restarted' | 'slowed' | 'stalled' | 'recovered' | 'lied' | 'banned' | 'partitioned' | 'joined-again' | 'dht-lost' |
  'origin-down' | 'origin-up' | 'origin-rejected' | 'left' | 'came-back' | 'failed' | 'ended-early'

export interface ExpectationResult {
  readonly text: string
  /** The figure as it was; `null`: there was none. */
  readonly actual: number | null
  /** What it was compared with. */
  readonly limit: number | null
  readonly isMet: boolean
}

/** What may be expected of a run, `<group>` being any group's name. */
export const FIGURES: Readonly<Record<string, { readonly unit: Unit, readonly meaning: string }>> = {
  'completion.p50': { unit: 'ms', meaning: 'half of the hosts were done so long after their own start' },
  'completion.p90': { unit: 'ms', meaning: '90 % of the hosts' },
  'completion.p99': { unit: 'ms', meaning: '99 % of the hosts' },
  'completion.p99.9': { unit: 'ms', meaning: '99.9 % of the hosts' },
  'completion.max': { unit: 'ms', meaning: 'all hosts' },
  'group.<group>.completion.p50': { unit: 'ms', meaning: 'the same of one group' },
  'group.<group>.completion.p90': { unit: 'ms', meaning: '' },
  'group.<group>.completion.p99': { unit: 'ms', meaning: '' },
  'group.<group>.completion.max': { unit: 'ms', meaning: '' },
  'group.<group>.done.share': { unit: 'share', meaning: '' },
  'done.share': { unit: 'share', meaning: 'of the hosts that pull and were not killed and have not left, those that were done; liars do not count' },
  'failed.hosts': { unit: 'count', meaning: 'hosts that gave up' },
  duration: { unit: 'ms', meaning: 'from the start of the run until the last host was done' },
  'origin.bytes': { unit: 'bytes', meaning: 'sent by the origin' },
  'origin.requests': { unit: 'count', meaning: 'answered by the origin' },
  'origin.peak': { unit: 'bytes/s', meaning: 'the most that the origin sent within a second' },
  'members.bytes': { unit: 'bytes', meaning: 'that hosts had from hosts' },
  'vain.bytes': { unit: 'bytes', meaning: 'sent twice, wrong, or called off' },
  'control.bytes': { unit: 'bytes', meaning: 'messages between agents, pieces not counted; none of a live run, whose agents do not count them' },
  'border.bytes': { unit: 'bytes', meaning: 'of pieces that came from another zone' },
  'wrong.bytes': { unit: 'bytes', meaning: 'that a client was given and were wrong' },
  'liars.banned.share': { unit: 'share', meaning: 'of the liars from which somebody had a wrong piece, those that were banned by all who had' }
}

export type Unit = 'ms' | 'bytes' | 'bytes/s' | 'count' | 'share'

/** What an engine tells while it runs; `Recorder` makes a `Result` of it. Times are of the run, and never go back. */
export interface RunObserver {
  /** A host begins to pull. @param bytes - that it lacks */
  started (host: string, bytes: number, atMs: number): void
  /** Right bytes of a layer are here. */
  received (host: string, from: 'origin' | 'member', bytes: number, atMs: number): void
  gave (host: string, bytes: number, atMs: number): void
  /** Bytes were sent and are of no use. */
  inVain (host: string, bytes: number, atMs: number): void
  crossedBorder (bytes: number): void
  /** A client was given wrong bytes. */
  wrong (host: string, bytes: number, atMs: number): void
  control (bytes: number, atMs: number): void
  originAnswered (bytes: number, atMs: number): void
  /** More of the body of an answer. */
  originSent (bytes: number, atMs: number): void
  done (host: string, atMs: number): void
  failed (host: string, reason: string, atMs: number): void
  left (host: string, atMs: number): void
  waited (host: string, cause: WaitCause, forMs: number): void
  /** A liar sent a wrong piece. */
  lied (liar: string, to: string, atMs: number): void
  banned (liar: string, by: string, atMs: number): void
  event (event: RunEvent): void
}

/** How far a run is, for people who wait for it. */
export interface RunProgress {
  readonly atMs: number
  readonly hosts: number
  readonly started: number
  readonly done: number
  readonly failed: number
  readonly bytes: number
  readonly bytesInAll: number
  readonly originBytes: number
}

/** One of the two ways to run a scenario. It rejects for what makes a run impossible; an abort ends it with what has happened. */
export type Engine = (scenario: Scenario, observer: RunObserver, options: {
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RunProgress) => void
  /** Told, in a sentence for people, what of the scenario this run leaves out. */
  readonly onNote?: (note: string) => void
}) => Promise<{ readonly durationMs: number, readonly isPartial: boolean }>
