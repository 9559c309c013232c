import { amountAxis, byteScale, grid, legend, timeScale } from './axes.ts'
import { chart } from './chart.ts'
import { html } from './markup.ts'
import { page } from './page.ts'
import { ink } from './palette.ts'
import { sweepRow, sweepTitles } from './sweep-rows.ts'
import { table } from './table.ts'
import type { Result } from '../result.ts'
import type { SweepPoint } from '../sweep.ts'
import type { Scale } from './axes.ts'
import type { Markup } from './markup.ts'
import type { Colour } from './palette.ts'

interface Line {
  readonly name: string
  readonly colour: Colour
  readonly symbol: string
  readonly isDashed?: boolean
  readonly valueOf: (result: Result) => number | null
}

const COMPLETION: readonly Line[] = [
  { name: 'half', colour: 'done', symbol: 'circle', valueOf: ({ figures }) => figures['completion.p50'] ?? null },
  { name: '99 %', colour: 'origin', symbol: 'triangle', valueOf: ({ figures }) => figures['completion.p99'] ?? null },
  { name: 'all', colour: 'ink', symbol: 'rect', valueOf: ({ figures }) => figures['completion.max'] ?? null },
  { name: 'T*', colour: 'bound', symbol: 'diamond', isDashed: true, valueOf: ({ bound }) => bound.ms }
]
const ORIGIN: readonly Line[] = [
  { name: 'sent by the origin', colour: 'origin', symbol: 'circle', valueOf: ({ figures }) => figures['origin.bytes'] ?? 0 },
  { name: 'the image once', colour: 'muted', symbol: 'diamond', isDashed: true, valueOf: ({ imageBytes }) => imageBytes }
]

/** How completion and the origin's bytes grow with one key, as one HTML file. */
export function sweepHtml (key: string, points: readonly SweepPoint[]): string {
  const [first] = points
  const columns = sweepTitles(key).map((title, index) => ({ title, isNumber: index > 0 }))
  return page(`${first?.result.scenario.name ?? 'nothing'} by ${key}`, html`<header>
<h1>${first?.result.scenario.name ?? 'Nothing ran'} by ${key}</h1>
<p>${first?.result.scenario.description ?? ''}</p>
<p class="about">The same rehearsal with ${key} = ${points.map(({ value }) => value).join(', ')}.</p>
</header>
<main>
${points.length === 0 ? html`<p class="warning">No run had begun when the sweep was ended.</p>` : charts(key, points)}
<h2>Each run</h2>
${table(columns, points.map(sweepRow))}
</main>`)
}

function charts (key: string, points: readonly SweepPoint[]): Markup {
  const values = (lines: readonly Line[]): number[] => lines.flatMap(({ valueOf }) => points.flatMap(({ result }) => valueOf(result) ?? []))
  const times = timeScale(Math.max(...values(COMPLETION)))
  const bytes = byteScale(Math.max(...values(ORIGIN)))
  const note = isLogarithmic(points) ? ` Along the axis ${key} grows tenfold over equal distances, so what grows with its logarithm is a straight line.` : ''
  return html`${growthChart(key, points, {
    id: 'completion',
    title: 'How long hosts took',
    caption: `When half, 99 % and all hosts had the image, from their own start, and T*, the best possible.${note}`,
    scale: times,
    lines: COMPLETION
  })}
${growthChart(key, points, {
    id: 'origin',
    title: 'What the origin sent',
    caption: `Bytes that the origin sent, and the image's size: the closer, the less the registry notices how many hosts pull.${note}`,
    scale: bytes,
    lines: ORIGIN
  })}`
}

interface Growth {
  readonly id: string
  readonly title: string
  readonly caption: string
  readonly scale: Scale
  readonly lines: readonly Line[]
}

function growthChart (key: string, points: readonly SweepPoint[], { id, title, caption, scale, lines }: Growth): Markup {
  const isLog = isLogarithmic(points)
  return chart({
    id,
    title,
    caption,
    height: 290,
    draw: () => ({
      grid: grid({ bottom: 44, right: 24 }),
      legend: legend(lines.map(({ name, symbol }) => ({ name, icon: symbol }))),
      xAxis: {
        type: isLog ? 'log' : 'category',
        ...isLog ? rangeOf(points) : { data: points.map(({ value }) => value) },
        name: key,
        nameLocation: 'middle',
        nameGap: 26,
        nameTextStyle: { color: ink('muted') },
        axisLabel: { color: ink('muted'), hideOverlap: true, formatter: (value: number | string) => value.toLocaleString('en-US') },
        axisLine: { lineStyle: { color: ink('line') } },
        axisTick: { lineStyle: { color: ink('line') } },
        splitLine: { show: false }
      },
      yAxis: amountAxis(scale.unit, { min: 0 }),
      series: lines.map(({ name, colour, symbol, isDashed = false, valueOf }) => ({
        name,
        type: 'line',
        symbol,
        symbolSize: 9,
        showAllSymbol: true,
        lineStyle: { color: ink(colour), width: 2, type: isDashed ? 'dashed' : 'solid' },
        itemStyle: { color: ink(colour) },
        data: points.flatMap(({ value, result }) => {
          const at = valueOf(result)
          return at === null ? [] : [[isLog ? Number(value) : value, scale.of(at)]]
        })
      }))
    })
  })
}

/** Plain numbers stand on an axis of powers of ten, anything else one beside the other. */
function isLogarithmic (points: readonly SweepPoint[]): boolean {
  return points.length > 1 && points.every(({ value }) => Number(value) > 0)
}

function rangeOf (points: readonly SweepPoint[]): { min: number, max: number } {
  const values = points.map(({ value }) => Number(value))
  return { min: Math.min(...values) * 0.9, max: Math.max(...values) * 1.1 }
}
