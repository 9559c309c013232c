import { countText } from '../quantity-text.ts'
import { grid, timeAxis, timeScale } from './axes.ts'
import { chart } from './chart.ts'
import { html } from './markup.ts'
import { heatInk, HEAT_STEPS, ink } from './palette.ts'
import type { CustomSeriesRenderItem, CustomSeriesRenderItemAPI } from 'echarts'
import type { Result } from '../result.ts'
import type { Markup } from './markup.ts'

/** Of a picture, in pixels. */
const ROW_HEIGHT = { least: 3, most: 14, all: 320 }

/** Pixels by which a row reaches below the next, or paper shows between them. */
const OVERLAP = 0.6

/** One shade of one host, drawn from its first moment to the end, so that what is drawn over it leaves no gap. */
type Run = readonly [row: number, from: number, end: number, shade: number]

/** Who had how much when: a row for each host. Undefined when nobody pulled. */
export function spreadChart ({ spread, hosts, durationMs, events }: Result): Markup | undefined {
  const rows = spread.hosts.length
  if (rows === 0) return undefined
  const pulling = hosts.filter(({ outcome }) => outcome !== 'idle').length
  const scale = timeScale(durationMs)
  const at = spread.at.map(at => scale.of(Math.min(at, durationMs)))
  const runs = spread.percent.flatMap((percent, row) => runsOf(percent, row, at))
  const rowHeight = Math.min(ROW_HEIGHT.most, Math.max(ROW_HEIGHT.least, Math.floor(ROW_HEIGHT.all / rows)))
  const strange = events.some(({ type }) => type === 'killed' || type === 'left') ? ' Rows that stop on their way are hosts that went away.' : ''
  return chart({
    id: 'spread',
    title: 'Each host\'s part of the image',
    caption: `Each row is a host, from the first that was done (top) to the last (bottom)${rows < pulling ? `; ${countText(rows)} of ${countText(pulling)} are shown, evenly chosen` : ''}. Time runs to the right, and a row goes through the colours above as its host has more of the image. Edges that are upright lines mean that all hosts fill at the same pace; a long stretch of one colour is a host that waited.${strange}`,
    height: rowHeight * rows + 56,
    below: html`<p class="key" aria-hidden="true"><span>0 %</span>${Array.from({ length: HEAT_STEPS }, (_, step) => html`<i style="background:var(--heat-${step})"></i>`)}<span>100 % of the image</span></p>`,
    draw: () => ({
      grid: grid({ top: 8, bottom: 28, left: 40 }),
      xAxis: timeAxis(scale, durationMs),
      yAxis: {
        type: 'value',
        inverse: true,
        min: 0,
        max: rows,
        interval: rows,
        axisLabel: { color: ink('muted'), formatter: (value: number) => value === 0 ? 'first' : 'last' },
        axisLine: { show: false },
        axisTick: { show: false },
        splitLine: { show: false }
      },
      series: [{ type: 'custom', silent: true, clip: true, renderItem: drawRun, data: runs.map(run => [...run]) }]
    })
  })
}

const drawRun: CustomSeriesRenderItem = (_params, api: CustomSeriesRenderItemAPI) => {
  const [row, from, end, shade] = [0, 1, 2, 3].map(dimension => Number(api.value(dimension))) as unknown as Run
  const [left = 0, top = 0] = api.coord([from, row])
  const [right = 0, bottom = 0] = api.coord([end, row + 1])
  return { type: 'rect', shape: { x: left, y: top, width: right - left, height: bottom - top + OVERLAP }, style: { fill: heatInk(shade) } }
}

/** The shades of one row: as few as there are changes of shade, not one for each step. */
function runsOf (percent: readonly number[], row: number, at: readonly number[]): Run[] {
  const shades = percent.map(shadeOf)
  return shades.flatMap((shade, step): Run[] => shade === shades[step - 1] ? [] : [[row, at[step - 1] ?? 0, at.at(-1) ?? 0, shade]])
}

/** Only a whole image has the darkest. */
function shadeOf (percent: number): number {
  return Math.floor(percent / 100 * (HEAT_STEPS - 1))
}
