import { quantityText } from '../quantity-text.ts'
import { amountAxis, byteScale, grid, legend, timeAxis, timeScale } from './axes.ts'
import { chart } from './chart.ts'
import { compareFigures, differenceText } from './difference.ts'
import { figureMeaning, figureText } from './figure.ts'
import { html } from './markup.ts'
import { page } from './page.ts'
import { ink } from './palette.ts'
import { runName } from './run-name.ts'
import { countedHosts } from './summary.ts'
import { facts, table } from './table.ts'
import type { Result } from '../result.ts'
import type { Markup } from './markup.ts'

/** The lines of two runs: they differ in more than their colour. */
const LOOKS = [{ colour: 'members', type: 'solid' }, { colour: 'origin', type: 'dashed' }] as const

/** Two results side by side as one HTML file. */
export function comparisonHtml (before: Result, after: Result): string {
  const rows = compareFigures(before, after).map(({ figure, before: first, after: second, difference }) => (
    [html`<code>${figure}</code>`, figureText(figure, first), figureText(figure, second), differenceText(difference), figureMeaning(figure)]
  ))
  const columns = [{ title: 'Figure' }, { title: 'A', isNumber: true }, { title: 'B', isNumber: true }, { title: 'B against A', isNumber: true }, { title: 'What it is' }]
  const runs = [before, after]
  return page(`${before.scenario.name} against ${after.scenario.name}`, html`<header>
<h1>Two rehearsals side by side</h1>
${facts([['A', runName(before)], ['B', runName(after)]])}
</header>
<main>
<h2>How they went</h2>
${doneCurves(runs)}
${originCurves(runs)}
<h2>Each figure</h2>
${table(columns, [['best possible, T*', quantityText(before.bound.ms, 'ms'), quantityText(after.bound.ms, 'ms'), '', 'what nobody can beat'], ...rows])}
<p class="note">"B against A" is the difference as a part of A's figure.</p>
</main>`)
}

function doneCurves (runs: readonly Result[]): Markup {
  const endMs = Math.max(...runs.map(({ durationMs }) => durationMs))
  const scale = timeScale(endMs)
  return chart({
    id: 'done',
    title: 'Hosts done',
    caption: 'The part of the hosts of each run that had the whole image at each moment: the line that is further to the left is the faster run.',
    height: 270,
    draw: () => ({
      grid: grid(),
      legend: legend([{ name: 'A' }, { name: 'B' }]),
      xAxis: timeAxis(scale, endMs),
      yAxis: amountAxis('% of hosts', { max: 100 }),
      series: runs.map((run, index) => {
        const { counted } = countedHosts(run)
        return line(index, run, scale.of, run.series.done.map(done => counted === 0 ? 0 : Math.min(100, 100 * done / counted)))
      })
    })
  })
}

function originCurves (runs: readonly Result[]): Markup {
  const endMs = Math.max(...runs.map(({ durationMs }) => durationMs))
  const scale = timeScale(endMs)
  const sums = runs.map(({ series }) => runningSums(series.originBytes))
  const bytes = byteScale(Math.max(...sums.map(sum => sum.at(-1) ?? 0)))
  return chart({
    id: 'origin',
    title: 'Sent by the origin',
    caption: 'All that the origin had sent up to each moment: the lower line spares the registry more.',
    height: 250,
    draw: () => ({
      grid: grid(),
      legend: legend([{ name: 'A' }, { name: 'B' }]),
      xAxis: timeAxis(scale, endMs),
      yAxis: amountAxis(bytes.unit),
      series: runs.map((run, index) => line(index, run, scale.of, (sums[index] ?? []).map(bytes.of)))
    })
  })
}

function line (index: number, { series, durationMs }: Result, timeOf: (ms: number) => number, values: readonly number[]): object {
  const { colour, type } = LOOKS[index] ?? LOOKS[0]
  return {
    name: index === 0 ? 'A' : 'B',
    type: 'line',
    showSymbol: false,
    lineStyle: { color: ink(colour), width: 2, type },
    itemStyle: { color: ink(colour) },
    data: [[0, 0], ...series.at.map((at, step) => [timeOf(Math.min(at, durationMs)), values[step] ?? 0])]
  }
}

function runningSums (values: readonly number[]): number[] {
  let sum = 0
  return values.map(value => (sum += value))
}
