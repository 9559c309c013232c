import { availableParallelism } from 'node:os'
import { atMost, type Row } from '../support/report.ts'
import { median, percentile, spread } from '../support/samples.ts'
import type { BareResult } from './bare-host.ts'
import type { RunResult } from './run.ts'
import type { Bars } from './scenario.ts'

/** Above it the rollout was as fast as the processors, not as the links. */
const BUSY_SHARE = 0.9

/** Figures of one run, in units of what they are compared with. */
export interface RunFigures {
  readonly p50: number
  readonly p99: number
  readonly max: number
  /** NaN without T*. */
  readonly maxInBounds: number
  readonly originContent: number
}

/** Of the healthy hosts; seconds. A host that is never done is done never: Infinity. */
export function figuresOf (run: RunResult, imageBytes: number): RunFigures {
  const times = run.hosts.filter(({ role }) => role === 'healthy').map(({ doneMs = Infinity }) => doneMs / 1000)
  const max = Math.max(...times)
  return {
    p50: percentile(times, 50),
    p99: percentile(times, 99),
    max,
    maxInBounds: run.boundMs === undefined ? NaN : max * 1000 / run.boundMs,
    originContent: run.originContentBytes / imageBytes
  }
}

export interface RowsInit {
  readonly imageBytes: number
  readonly bars: Bars
  /** The same bytes over bare sockets, in the minute after the last run; empty where that was not done. */
  readonly bare: readonly BareResult[]
}

/** What is printed of all runs; a bar is held against the worst of them. */
export function rowsOf (runs: readonly RunResult[], { imageBytes, bars, bare }: RowsInit): Row[] {
  const figures = runs.map(run => figuresOf(run, imageBytes))
  const each = (value: (one: RunFigures) => number): number[] => figures.map(value)
  const { boundMs } = runs[0] ?? {}
  return [
    ...doneRows(runs),
    { what: 'completion p50 / p99 / max, s', value: [each(one => one.p50), each(one => one.p99), each(one => one.max)].map(values => spread(values)).join(' / ') },
    ...(boundMs === undefined
      ? []
      : [
          { what: 'T*, s', value: (boundMs / 1000).toFixed(2) },
          { what: 'p50 / T*', value: spread(each(one => one.p50 * 1000 / boundMs)) },
          { what: 'p99 / T*', value: spread(each(one => one.p99 * 1000 / boundMs)) },
          barred('max / T*', each(one => one.maxInBounds), bars.maxCompletion, 3)
        ]),
    barred('origin bytes / image', each(one => one.originContent), bars.maxOriginBytes, 4),
    { what: 'origin requests for content', value: spread(runs.map(run => run.originRequests), 0) },
    ...linkRows(runs, imageBytes),
    ...costRows(runs, imageBytes),
    ...bareRows(runs, bare, boundMs),
    ...machineRows(runs)
  ]
}

function barred (what: string, values: readonly number[], limit: number | undefined, digits: number): Row {
  const text = spread(values, digits)
  return limit === undefined ? { what, value: text } : atMost(what, Math.max(...values), limit, text)
}

function doneRows (runs: readonly RunResult[]): Row[] {
  const wanted = runs.flatMap(({ hosts }) => hosts.filter(({ role }) => role === 'healthy'))
  const slow = runs.flatMap(({ hosts }) => hosts.filter(({ role }) => role === 'slow'))
  const whole = runs.flatMap(({ hosts }) => hosts.filter(({ doneMs }) => doneMs !== undefined))
  const done = wanted.filter(({ doneMs }) => doneMs !== undefined).length
  const right = whole.filter(({ isRight }) => isRight === true).length
  const slowTimes = slow.map(({ doneMs = Infinity }) => doneMs / 1000)
  return [
    { what: 'healthy hosts done', value: `${done} of ${wanted.length}`, bar: 'all', isMet: done === wanted.length },
    ...(slow.length === 0 ? [] : [{ what: 'slow hosts done after, s', value: spread(slowTimes, 1) }]),
    { what: 'images right', value: `${right} of ${whole.length}`, bar: 'all', isMet: right === whole.length }
  ]
}

function linkRows (runs: readonly RunResult[], imageBytes: number): Row[] {
  if (runs.some(({ observation }) => observation.originCurve.length === 0)) return []
  const until = (end: (run: RunResult) => number): string => spread(runs.map(run => run.observation.originBytesAt(end(run)) / imageBytes), 3)
  const atEnd = { what: 'origin link bytes / image, at the end', value: until(() => Infinity) }
  const hasSlow = runs.some(({ hosts }) => hosts.some(({ role }) => role === 'slow'))
  return hasSlow ? [{ what: 'origin link bytes / image, when the last healthy host was done', value: until(run => run.healthyDoneMs ?? Infinity) }, atEnd] : [atEnd]
}

function costRows (runs: readonly RunResult[], imageBytes: number): Row[] {
  const perGigabyte = runs.map(({ hosts, observation }) => {
    const delivered = hosts.reduce((bytes, { doneMs, curve }) => bytes + (doneMs === undefined ? curve.at(-1)?.[1] ?? 0 : imageBytes), 0)
    return observation.hosts.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0) / delivered * 1e9
  })
  const usages = runs.map(({ observation }) => observation.hosts)
  const over = (value: (all: readonly number[]) => number, of: (usage: RunResult['observation']['hosts'][number]) => number): number[] => usages.map(all => value(all.map(of)))
  const most = (values: readonly number[]): number => Math.max(...values)
  return [
    { what: 'CPU s/GB delivered, all agents, both ends', value: spread(perGigabyte) },
    { what: 'CPU s of an agent: median / most', value: `${spread(over(median, ({ cpuSeconds }) => cpuSeconds))} / ${spread(over(most, ({ cpuSeconds }) => cpuSeconds))}` },
    { what: 'peak RSS of an agent, MB: median / most', value: `${spread(over(median, ({ peakBytes }) => peakBytes / 1e6), 0)} / ${spread(over(most, ({ peakBytes }) => peakBytes / 1e6), 0)}` }
  ]
}

/** What the processors make possible: of an agent's use of them, how much is the bytes' own. */
function bareRows (runs: readonly RunResult[], bare: readonly BareResult[], boundMs: number | undefined): Row[] {
  if (bare.length === 0) return []
  const cost = median(bare.map(({ cpuSeconds }) => cpuSeconds))
  const seconds = Math.max(...bare.map(({ seconds }) => seconds))
  const agents = runs.map(({ observation }) => median(observation.hosts.map(({ cpuSeconds }) => cpuSeconds)))
  return [
    { what: 'bare sockets instead: CPU s of each / last done, s', value: `${cost.toFixed(2)} / ${seconds.toFixed(2)}${boundMs === undefined ? '' : `, ${(seconds * 1000 / boundMs).toFixed(3)} T*`}` },
    { what: 'CPU s of an agent / of a bare socket process', value: spread(agents.map(one => one / cost)) }
  ]
}

function machineRows (runs: readonly RunResult[]): Row[] {
  const processors = availableParallelism()
  const machines = runs.map(({ observation }) => observation.machine)
  const parts = runs.map(({ observation, endMs }) => {
    const percent = (seconds: number): number => seconds * 1000 / endMs / processors * 100
    const agents = percent(observation.hosts.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0))
    const registry = percent(observation.registry.cpuSeconds)
    const driver = percent(observation.driverCpuSeconds)
    return { agents, registry, driver, rest: observation.machine.busy * 100 - agents - registry - driver }
  })
  const part = (name: keyof typeof parts[number]): string => spread(parts.map(one => one[name]), 0)
  const verdict = machines.some(({ busy }) => busy > BUSY_SHARE) ? ': THE PROCESSORS WERE THE LIMIT' : machines.some(({ busiestSecond }) => busiestSecond > BUSY_SHARE) ? ': the processors were the limit at times' : ''
  return [
    { what: `% of ${processors} processors busy: mean / busiest second`, value: `${spread(machines.map(({ busy }) => busy * 100), 0)} / ${spread(machines.map(({ busiestSecond }) => busiestSecond * 100), 0)}${verdict}` },
    { what: 'of which agents / registry / this bench / all else', value: [part('agents'), part('registry'), part('driver'), part('rest')].join(' / ') },
    { what: 'processors taken by other machines, %', value: spread(machines.map(({ stolen }) => stolen * 100), 1) }
  ]
}
