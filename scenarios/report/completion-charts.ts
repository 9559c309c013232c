import { durationText, hostsText } from '../quantity-text.ts'
import { amountAxis, grid, legend, momentMark, timeAxis, timeScale } from './axes.ts'
import { chart } from './chart.ts'
import { ink } from './palette.ts'
import { firstStartMs, hasBound, startsAtOnce } from './start.ts'
import type { Result } from '../result.ts'
import type { Markup } from './markup.ts'

const BINS = 40
/** Beyond the last that is drawn. */
const MARGIN = 1.03

/** Hosts that have begun and that are done, over time, and T*. */
export function doneCurve (result: Result): Markup {
  const { series, bound, durationMs } = result
  const boundAt = hasBound(result) ? firstStartMs(result) + bound.ms : undefined
  const endMs = Math.max(durationMs, boundAt ?? 0) * MARGIN
  const scale = timeScale(endMs)
  const line = (name: string, values: readonly number[], colour: 'done' | 'muted', more: object): object => ({
    name,
    type: 'line',
    step: 'end',
    showSymbol: false,
    lineStyle: { color: ink(colour), width: 2, ...more },
    itemStyle: { color: ink(colour) },
    data: [[0, 0], ...series.at.map((at, step) => [scale.of(Math.min(at, durationMs)), values[step] ?? 0])]
  })
  return chart({
    id: 'done',
    title: 'Hosts done',
    caption: 'How many hosts had begun to pull, and how many had the whole image, at each moment of the run. T* is the moment before which nobody could have brought the image to all of them: the closer to it the green line ends, the better.',
    height: 270,
    draw: () => ({
      grid: grid(),
      legend: legend([{ name: 'done' }, { name: 'begun' }]),
      xAxis: timeAxis(scale, endMs),
      yAxis: amountAxis('hosts', { minInterval: 1 }),
      series: [
        line('begun', series.started, 'muted', { type: 'dotted' }),
        {
          ...line('done', series.done, 'done', {}),
          areaStyle: { color: ink('done'), opacity: 0.12 },
          markLine: { symbol: 'none', silent: true, data: boundAt === undefined ? [] : [momentMark(scale.of(boundAt), `T* ${durationText(bound.ms)}`, { to: scale.of(endMs) })] }
        }
      ]
    })
  })
}

/** How many hosts took how long, each from its own start; undefined when none was done. */
export function completionDistribution (result: Result): Markup | undefined {
  const times = completionTimes(result)
  if (times.length === 0) return undefined
  const { figures, bound } = result
  const isComparable = hasBound(result) && startsAtOnce(result)
  const moments = [['half', figures['completion.p50'], 'ink'], ['99 %', figures['completion.p99'], 'muted'], ['T*', isComparable ? bound.ms : null, 'bound']] as const
  const marks = moments.flatMap(([name, at = null, colour]) => at === null ? [] : [{ at, label: `${name} ${durationText(at)}`, colour }])
  const shown = [...times, ...isComparable ? [bound.ms] : []]
  const least = shown.reduce((min, time) => Math.min(min, time))
  const most = shown.reduce((max, time) => Math.max(max, time))
  const marginMs = Math.max(1, (most - least) * (MARGIN - 1))
  const [from, to] = [Math.max(0, least - marginMs), most + marginMs]
  const scale = timeScale(to)
  const range = { from: scale.of(from), to: scale.of(to) }
  return chart({
    id: 'distribution',
    title: 'How long hosts took',
    caption: `Each host's time from its own start until it had the whole image: the higher the hill, the more hosts took so long. A narrow hill means that all had much the same; what lies far to the right is the tail. ${hostsText(times.length)} are in it.`,
    height: 270,
    draw: () => ({
      grid: grid({ top: 66 }),
      xAxis: timeAxis(scale, to, from),
      yAxis: amountAxis('hosts', { minInterval: 1 }),
      series: [{
        type: 'line',
        step: 'end',
        showSymbol: false,
        lineStyle: { color: ink('done'), width: 1.5 },
        areaStyle: { color: ink('done'), opacity: 0.3 },
        data: histogram(times, from, to).map(([at, count]) => [scale.of(at), count]),
        markLine: { symbol: 'none', silent: true, data: marks.map(({ at, label, colour }, row) => momentMark(scale.of(at), label, { ...range, colour, row })) }
      }]
    })
  })
}

function completionTimes ({ hosts }: Result): number[] {
  return hosts.flatMap(({ startedMs, doneMs, fault }) => startedMs === null || doneMs === null || fault === 'lie' ? [] : [doneMs - startedMs])
}

/** Where each bin begins, and how many are in it; closed by an empty one. */
function histogram (times: readonly number[], from: number, to: number): Array<[at: number, count: number]> {
  const width = (to - from) / BINS
  const counts = new Array<number>(BINS).fill(0)
  for (const time of times) {
    const bin = Math.min(BINS - 1, Math.floor((time - from) / width))
    counts[bin] = (counts[bin] ?? 0) + 1
  }
  return [...counts.map((count, bin): [number, number] => [from + bin * width, count]), [to, 0]]
}
