import { printable } from '../../src/values/printable.ts'
import { countText, quantityText, bytesText } from '../quantity-text.ts'
import { figureText } from './figure.ts'
import { rankSlowest, reasonOf, timeOf } from './slow-host.ts'
import { summarySentences } from './summary.ts'
import { DEFAULT_WIDTH, painter, textColumns, wrapped } from './text-layout.ts'
import type { Result } from '../result.ts'
import type { TextInit } from './text-layout.ts'

const SLOWEST = 3
/** Of the scenario's groups; of more, those that took longest. */
const MAX_GROUPS = 12
const FIGURES = ['completion.p50', 'completion.p90', 'completion.p99', 'completion.p99.9', 'completion.max', 'origin.bytes', 'origin.requests', 'origin.peak', 'members.bytes', 'vain.bytes', 'control.bytes', 'border.bytes', 'liars.banned.share']
const MET = 'met'
const MISSED = 'MISSED'

/** The summary of a run for a terminal. */
export function reportText (result: Result, init: TextInit = {}): string {
  const { scenario, engine, shoal } = result
  const { width = DEFAULT_WIDTH, colour = false } = init
  const paint = painter(colour)
  return [
    `${paint(printable(scenario.name), 'bold')} (${engine}, seed ${scenario.seed}, Shoal ${printable(shoal)})\n`,
    ...wrapped(printable(summarySentences(result).join(' ')), width).map(line => `${line}\n`),
    ...[expectationsPart(result, init), figuresPart(result, init), groupsPart(result, init), slowestPart(result, init)].flatMap(part => part === '' ? [] : ['\n', part])
  ].join('')
}

function expectationsPart ({ expectations, scenario: { expect } }: Result, init: TextInit): string {
  if (expectations.length === 0) return ''
  const rows = expectations.map(({ text, actual, limit, isMet }, index) => {
    const figure = expect[index]?.figure ?? ''
    return [isMet ? MET : MISSED, printable(text), figureText(figure, actual), limit === null ? 'none' : figureText(figure, limit)]
  })
  const style = (cell: string): 'green' | 'red' => cell === MET ? 'green' : 'red'
  return textColumns([{ title: '', style }, { title: 'EXPECTED' }, { title: 'IT WAS', isNumber: true }, { title: 'LIMIT', isNumber: true }], rows, init)
}

/** What is nothing is left out. */
function figuresPart ({ figures, bound }: Result, init: TextInit): string {
  const rows = FIGURES.flatMap(figure => {
    const value = figures[figure]
    return value === undefined || value === 0 || (value === null && !figure.startsWith('completion')) ? [] : [[figure, figureText(figure, value)]]
  })
  return textColumns([{ title: 'FIGURE' }, { title: '', isNumber: true }], [['best possible, T*', quantityText(bound.ms, 'ms')], ...rows], init)
}

function groupsPart ({ groups }: Result, init: TextInit): string {
  const pulling = groups.filter(({ hosts }) => hosts > 0)
  if (pulling.length < 2) return ''
  const slowest = [...pulling].sort((a, b) => a.max === b.max ? 0 : (b.max ?? Infinity) - (a.max ?? Infinity)).slice(0, MAX_GROUPS)
  const time = (ms: number | null): string => quantityText(ms, 'ms')
  const rows = pulling.filter(group => slowest.includes(group)).map(({ name, hosts, done, p50, p99, max, fromMembers, fromOrigin }) => (
    [printable(name), `${countText(done)} of ${countText(hosts)}`, time(p50), time(p99), time(max), bytesText(fromMembers), bytesText(fromOrigin)]
  ))
  const titles = ['GROUP', 'DONE', '50 %', '99 %', 'ALL', 'FROM HOSTS', 'FROM ORIGIN']
  const rest = pulling.length - rows.length
  return textColumns(titles.map((title, index) => ({ title, isNumber: index > 0 })), rows, init) + (rest === 0 ? '' : `and ${countText(rest)} groups that were faster\n`)
}

function slowestPart (result: Result, init: TextInit): string {
  const rows = rankSlowest(result.hosts).slice(0, SLOWEST).map(host => [printable(host.name), timeOf(host, result.durationMs), reasonOf(host, result)])
  return rows.length === 0 ? '' : textColumns([{ title: 'SLOWEST' }, { title: 'TOOK', isNumber: true }, { title: 'WHY' }], rows, init)
}
