import { bytesText, countText, durationText, ratioText, rateText } from '../quantity-text.ts'
import { amountAxis, byteScale, grid, legend, timeAxis, timeScale } from './axes.ts'
import { chart } from './chart.ts'
import { ink } from './palette.ts'
import type { Result } from '../result.ts'
import type { Colour } from './palette.ts'
import type { Markup } from './markup.ts'

/** What came from other hosts, what from the origin, what in vain: a rate at each moment, one on top of the other. */
export function bytesBySource ({ series, durationMs, figures }: Result): Markup {
  const all = [
    { name: 'from other hosts', colour: 'members', values: series.fromMembers },
    { name: 'from the origin', colour: 'origin', values: series.fromOrigin },
    { name: 'in vain', colour: 'vain', values: series.inVain }
  ] as const
  const sources = all.filter(({ values }) => sum(values) > 0)
  const rates = sources.map(({ values }) => perSecond(values, series.stepMs))
  const most = Math.max(...series.at.map((_, step) => rates.reduce((sum, rate) => sum + (rate[step] ?? 0), 0)))
  const scale = byteScale(most, { perSecond: true })
  const times = timeScale(durationMs)
  return chart({
    id: 'sources',
    title: 'Where the bytes came from',
    caption: `What all hosts together received at each moment, by who sent it; "in vain" is what was sent twice, was wrong, or was called off. In all, ${bytesText(figures['members.bytes'] ?? 0)} came from other hosts, ${bytesText(sum(series.fromOrigin))} from the origin, and ${bytesText(figures['vain.bytes'] ?? 0)} were sent in vain.`,
    height: 270,
    draw: () => ({
      grid: grid(),
      legend: legend(sources),
      xAxis: timeAxis(times, durationMs),
      yAxis: amountAxis(scale.unit),
      series: sources.map(({ name, colour }, index) => ({
        ...area(name, colour, series.at.map((at, step) => [times.of(Math.min(at, durationMs)), scale.of(rates[index]?.[step] ?? 0)])),
        stack: 'bytes',
        // an outline would show where there is nothing of a source
        lineStyle: { width: 0 },
        areaStyle: { color: ink(colour), opacity: 0.75 }
      }))
    })
  })
}

/** What the origin sent at each moment, its outages, and what its link could carry; undefined when there is no origin. */
export function originLoad (result: Result): Markup | undefined {
  const { series, durationMs, figures, scenario: { origin }, imageBytes } = result
  if (origin === undefined) return undefined
  const rates = perSecond(series.originBytes, series.stepMs)
  const peak = Math.max(...rates)
  // a link that is far above what was sent would press it to the ground
  const isLinkShown = origin.up <= 3 * peak
  const scale = byteScale(isLinkShown ? Math.max(peak, origin.up) : peak, { perSecond: true })
  const times = timeScale(durationMs)
  const outages = origin.outages.filter(({ fromMs }) => fromMs < durationMs)
  const sent = figures['origin.bytes'] ?? 0
  return chart({
    id: 'origin',
    title: 'What the origin had to send',
    caption: [
      `The registry's load at each moment. It sent ${bytesText(sent)} in ${countText(figures['origin.requests'] ?? 0)} answers, ${imageBytes === 0 ? 'for an empty image' : `${ratioText(sent / imageBytes)} the image`}, where without Shoal it would send it to each host.`,
      isLinkShown ? ` The dashed line is what its link carries, ${rateText(origin.up)}${peak > origin.up ? '; what stands out above it was told later than it was sent' : ''}.` : ` Its link would carry ${rateText(origin.up)}.`,
      outages.length > 0 ? ' In the shaded times it could not be reached.' : ''
    ].join(''),
    height: 250,
    draw: () => ({
      grid: grid({ top: 32 }),
      xAxis: timeAxis(times, durationMs),
      yAxis: amountAxis(scale.unit),
      series: [{
        ...area('origin', 'origin', series.at.map((at, step) => [times.of(Math.min(at, durationMs)), scale.of(rates[step] ?? 0)])),
        ...isLinkShown ? { markLine: { symbol: 'none', silent: true, data: [{ yAxis: scale.of(origin.up), lineStyle: { color: ink('muted'), type: 'dashed' }, label: { show: false } }] } } : {},
        markArea: {
          silent: true,
          itemStyle: { color: ink('shade') },
          data: outages.map(({ fromMs, toMs }) => [{ xAxis: times.of(fromMs) }, { xAxis: times.of(Math.min(toMs, durationMs)) }])
        }
      }]
    })
  })
}

/** Requests that the origin answered, by step; undefined when there were none. */
export function originRequests ({ series, durationMs, figures }: Result): Markup | undefined {
  const count = figures['origin.requests'] ?? 0
  if (count === 0) return undefined
  const times = timeScale(durationMs)
  const rates = perSecond(series.originRequests, series.stepMs)
  return chart({
    id: 'requests',
    title: 'What the origin was asked',
    caption: `Requests per second that the origin answered, over steps of ${durationText(series.stepMs)}; ${countText(count)} in all.`,
    height: 200,
    draw: () => ({
      grid: grid({ top: 32 }),
      xAxis: timeAxis(times, durationMs),
      yAxis: amountAxis('requests/s'),
      series: [area('requests', 'origin', series.at.map((at, step) => [times.of(Math.min(at, durationMs)), Number((rates[step] ?? 0).toPrecision(4))]))]
    })
  })
}

function area (name: string, colour: Colour, data: readonly number[][]): object {
  return {
    name,
    type: 'line',
    step: 'start',
    showSymbol: false,
    lineStyle: { color: ink(colour), width: 1 },
    itemStyle: { color: ink(colour) },
    areaStyle: { color: ink(colour), opacity: 0.55 },
    data: [[0, data[0]?.[1] ?? 0], ...data]
  }
}

function perSecond (values: readonly number[], stepMs: number): number[] {
  return values.map(value => value / stepMs * 1000)
}

function sum (values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
