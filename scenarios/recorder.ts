import { boundOf } from './bound.ts'
import { layersOf, planOf } from './plan.ts'
import { figuresOf, groupResult } from './recording/figures.ts'
import { HostProgress } from './recording/host-progress.ts'
import { hostResult, isLiar, newHostRecord } from './recording/host-record.ts'
import { Lies } from './recording/lies.ts'
import { newSeriesSums, seriesOf } from './recording/series.ts'
import { spreadOf } from './recording/spread.ts'
import { TimeSteps } from './recording/time-steps.ts'
import { judge } from './recording/verdict.ts'
import { RESULT_VERSION } from './result.ts'
import type { HostRecord } from './recording/host-record.ts'
import type { EngineName, Result, RunEvent, RunObserver, WaitCause } from './result.ts'
import type { Scenario } from './scenario.ts'

/** The first so many are kept. */
const MAX_EVENTS = 2000

export interface RecorderInit {
  readonly engine: EngineName
  /** The version of Shoal. */
  readonly shoal: string
}

/** How a run ended, as its engine says. */
export interface RunEnd {
  readonly durationMs: number
  readonly isPartial: boolean
  /** The same scenario without its faults, where an expectation is in units of that. */
  readonly clean?: Pick<Result, 'figures'>
  /** What the engine says that the run leaves out. @default none */
  readonly notes?: readonly string[]
}

/**
 * Keeps what an engine tells of a run, and makes its result of it. What it keeps grows with the hosts (about a kilobyte each), not
 * with what happens to them, and it reads no clock: the same facts in the same order give the same result.
 * Of a liar's first lie and first ban, and of a host that gave up, it makes the event itself.
 */
export class Recorder implements RunObserver {
  readonly #scenario: Scenario
  readonly #init: RecorderInit
  readonly #hosts: readonly HostRecord[]
  readonly #byName: ReadonlyMap<string, HostRecord>
  readonly #steps = new TimeSteps()
  readonly #sums = newSeriesSums(this.#steps)
  readonly #progress: HostProgress
  readonly #lies: Lies
  readonly #totals = { fromOrigin: 0, fromMembers: 0, inVain: 0, control: 0, border: 0, wrong: 0, originBytes: 0, originRequests: 0 }
  readonly #events: RunEvent[] = []
  #eventsLeftOut = 0

  constructor (scenario: Scenario, init: RecorderInit) {
    this.#scenario = scenario
    this.#init = init
    this.#hosts = planOf(scenario).hosts.map(newHostRecord)
    this.#byName = new Map(this.#hosts.map(host => [host.planned.name, host]))
    this.#progress = new HostProgress(this.#hosts.length, this.#steps)
    this.#lies = new Lies(this.#hosts.length)
  }

  started (name: string, bytes: number, atMs: number): void {
    const host = this.#host(name)
    if (host.outcome === 'left') host.outcome = 'pending'
    if (host.startedMs !== null) return
    host.startedMs = atMs
    host.lackedBytes = bytes
    if (bytes === 0) this.#progress.reach(host.index, 1, atMs)
    if (!isLiar(host)) this.#sums.add('started', 1, atMs)
  }

  received (name: string, from: 'origin' | 'member', bytes: number, atMs: number): void {
    const host = this.#host(name)
    const source = from === 'origin' ? 'fromOrigin' : 'fromMembers'
    host[source] += bytes
    this.#totals[source] += bytes
    this.#sums.add(source, bytes, atMs)
    if (host.lackedBytes > 0) this.#progress.reach(host.index, (host.fromOrigin + host.fromMembers) / host.lackedBytes, atMs)
  }

  gave (name: string, bytes: number, _atMs: number): void {
    this.#host(name).given += bytes
  }

  inVain (_host: string, bytes: number, atMs: number): void {
    this.#totals.inVain += bytes
    this.#sums.add('inVain', bytes, atMs)
  }

  crossedBorder (bytes: number): void {
    this.#totals.border += bytes
  }

  wrong (_host: string, bytes: number, _atMs: number): void {
    this.#totals.wrong += bytes
  }

  control (bytes: number, atMs: number): void {
    this.#totals.control += bytes
    this.#sums.add('controlBytes', bytes, atMs)
  }

  /** The bytes count when they are sent. */
  originAnswered (_bytes: number, atMs: number): void {
    this.#totals.originRequests++
    this.#sums.add('originRequests', 1, atMs)
  }

  originSent (bytes: number, atMs: number): void {
    this.#totals.originBytes += bytes
    this.#sums.add('originBytes', bytes, atMs)
  }

  done (name: string, atMs: number): void {
    const host = this.#host(name)
    if (host.doneMs !== null) return
    host.doneMs = atMs
    host.outcome = 'done'
    this.#progress.reach(host.index, 1, atMs)
    if (!isLiar(host)) this.#sums.add('done', 1, atMs)
  }

  failed (name: string, reason: string, atMs: number): void {
    const host = this.#host(name)
    if (host.outcome !== 'done') host.outcome = 'failed'
    this.event({ atMs, type: 'failed', host: name, detail: reason })
  }

  left (name: string, _atMs: number): void {
    const host = this.#host(name)
    if (host.outcome === 'pending') host.outcome = 'left'
  }

  waited (name: string, cause: WaitCause, forMs: number): void {
    const { waits } = this.#host(name)
    waits.set(cause, (waits.get(cause) ?? 0) + forMs)
  }

  lied (liar: string, to: string, atMs: number): void {
    const receiver = this.#host(to)
    // no liar is held to ban another
    if (isLiar(receiver) || !this.#lies.lied(this.#host(liar).index, receiver.index)) return
    this.event({ atMs, type: 'lied', host: liar, detail: `the first, to ${to}` })
  }

  banned (liar: string, by: string, atMs: number): void {
    if (!this.#lies.banned(this.#host(liar).index, this.#host(by).index)) return
    this.event({ atMs, type: 'banned', host: liar, detail: `first by ${by}` })
  }

  event (event: RunEvent): void {
    if (event.host !== null && (event.type === 'came-back' || event.type === 'restarted')) this.#cameBack(this.#host(event.host))
    if (this.#events.length < MAX_EVENTS) this.#events.push(event)
    else this.#eventsLeftOut++
  }

  result ({ durationMs, isPartial, clean, notes = [] }: RunEnd): Result {
    const series = seriesOf(this.#sums, this.#steps, durationMs)
    const groups = this.#scenario.groups.map(({ name }) => name)
    const layers = layersOf(this.#scenario, this.#scenario.pulls.flatMap(({ images }) => images))
    const judged = {
      bound: boundOf(this.#scenario),
      imageBytes: layers.reduce((sum, { bytes }) => sum + bytes, 0),
      figures: figuresOf({ hosts: this.#hosts, groups, totals: this.#totals, series, liarsBannedShare: this.#lies.bannedShare(), countsControl: this.#init.engine === 'sim' })
    }
    return {
      resultVersion: RESULT_VERSION,
      shoal: this.#init.shoal,
      engine: this.#init.engine,
      isPartial,
      ...(notes.length === 0 ? {} : { notes }),
      scenario: this.#scenario,
      ...judged,
      durationMs,
      groups: groups.map(name => groupResult(name, this.#hosts)),
      hosts: this.#hosts.map(hostResult),
      series,
      spread: spreadOf(this.#hosts, this.#progress, series.at),
      events: this.#events,
      eventsLeftOut: this.#eventsLeftOut,
      expectations: this.#scenario.expect.map(expectation => judge(expectation, judged, clean))
    }
  }

  #host (name: string): HostRecord {
    const host = this.#byName.get(name)
    if (host === undefined) throw new RangeError(`no host of the plan is named ${name}`)
    return host
  }

  #cameBack (host: HostRecord): void {
    if (host.outcome === 'left') host.outcome = 'pending'
  }
}
