import { bytesText, countText, quantityText } from '../quantity-text.ts'
import { grid, legend, timeAxis, timeScale } from './axes.ts'
import { chart } from './chart.ts'
import { html } from './markup.ts'
import { ink } from './palette.ts'
import { table } from './table.ts'
import type { GroupResult, Result } from '../result.ts'
import type { Markup } from './markup.ts'

const MAX_DRAWN = 40
const ROW_HEIGHT = 26
/** Letters of a name that fit beside a picture. */
const LONGEST_NAME = 12
const MARKS = [
  { name: '50 %', key: 'p50', symbol: 'circle', size: 11, colour: 'done' },
  { name: '90 %', key: 'p90', symbol: 'diamond', size: 11, colour: 'members' },
  { name: '99 %', key: 'p99', symbol: 'triangle', size: 10, colour: 'origin' },
  { name: 'all', key: 'max', symbol: 'rect', size: 7, colour: 'ink' }
] as const

/** How each group fared. */
export function groupSection ({ groups, scenario }: Result): Markup {
  const pulling = groups.filter(({ hosts }) => hosts > 0)
  const time = (ms: number | null): string => quantityText(ms, 'ms')
  const rows = groups.map(({ name, hosts, done, p50, p90, p99, max, fromOrigin, fromMembers }) => {
    const count = scenario.groups.find(group => group.name === name)?.count ?? 0
    return hosts === 0
      ? [name, `${countText(count)}, none pulls`, '', '', '', '', bytesText(fromMembers), bytesText(fromOrigin)]
      : [name, `${countText(done)} of ${countText(hosts)}`, time(p50), time(p90), time(p99), time(max), bytesText(fromMembers), bytesText(fromOrigin)]
  })
  const titles = ['Group', 'Done', '50 %', '90 %', '99 %', 'All', 'From other hosts', 'From the origin']
  return html`${pulling.length > 1 && pulling.some(({ p50 }) => p50 !== null) ? groupChart(pulling.slice(0, MAX_DRAWN), pulling.length) : ''}
${table(titles.map((title, index) => ({ title, isNumber: index > 0 })), rows)}
<p class="note">How long so many of the hosts of each group took from their own start, and what they received. "never": so many never had the whole image.</p>`
}

function groupChart (groups: readonly GroupResult[], inAll: number): Markup {
  const endMs = 1.04 * Math.max(...groups.flatMap(({ p50, p90, p99, max }) => [p50 ?? 0, p90 ?? 0, p99 ?? 0, max ?? 0]))
  const scale = timeScale(endMs)
  return chart({
    id: 'groups',
    title: 'How long each group took',
    caption: `When half, 90 %, 99 % and all of a group's hosts had the image, from their own start: marks close together are a group whose hosts fared alike.${groups.length < inAll ? ` The first ${groups.length} of ${inAll} groups are drawn.` : ''}`,
    height: ROW_HEIGHT * groups.length + 76,
    draw: () => ({
      grid: grid({ top: 40, left: 92 }),
      legend: legend(MARKS.map(({ name, symbol }) => ({ name, icon: symbol }))),
      xAxis: { ...timeAxis(scale, endMs), splitLine: { show: true, lineStyle: { color: ink('line') } } },
      yAxis: {
        type: 'category',
        inverse: true,
        data: groups.map(({ name }) => name),
        axisLabel: { color: ink('ink'), interval: 0, formatter: (name: string) => name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name },
        axisLine: { lineStyle: { color: ink('line') } },
        axisTick: { show: false },
        splitLine: { show: true, lineStyle: { color: ink('line') } }
      },
      series: MARKS.map(({ name, key, symbol, size, colour }) => ({
        name,
        type: 'scatter',
        symbol,
        symbolSize: size,
        itemStyle: { color: ink(colour) },
        data: groups.flatMap((group, row) => group[key] === null ? [] : [[scale.of(group[key]), row]])
      }))
    })
  })
}
