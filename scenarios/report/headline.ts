import { countText, durationText, quantityText, ratioText } from '../quantity-text.ts'
import { html } from './markup.ts'
import { hasBound, rolloutMs, startsAtOnce } from './start.ts'
import { countedHosts, summarySentences } from './summary.ts'
import type { Result } from '../result.ts'
import type { Markup } from './markup.ts'

interface Card {
  readonly name: string
  readonly value: string
  readonly note: string
}

/** The sentences and the figures that come first. */
export function headline (result: Result): Markup {
  return html`<p class="summary">${summarySentences(result).join(' ')}</p>
<ul class="cards">${cardsOf(result).map(({ name, value, note }) => html`<li><span>${name}</span><strong>${value}</strong><span>${note}</span></li>\n`)}</ul>`
}

function cardsOf (result: Result): Card[] {
  const { figures, imageBytes, bound } = result
  const { counted, done } = countedHosts(result)
  const times = (ms: number | null, isComparable = true): string => ms === null || !hasBound(result) || !isComparable ? '' : `${ratioText(ms / bound.ms)} T*`
  const own = (figure: string): Card['note'] => times(figures[figure] ?? null, startsAtOnce(result)) || 'from its own start'
  const lastMs = rolloutMs(result)
  return [
    { name: 'hosts done', value: `${countText(done)} of ${countText(counted)}`, note: counted === 0 ? '' : `${Number((100 * done / counted).toFixed(2))} %` },
    { name: 'best possible, T*', value: durationText(bound.ms), note: 'nobody can be faster' },
    { name: 'last host', value: quantityText(lastMs, 'ms'), note: times(lastMs) },
    { name: 'half of the hosts', value: quantityText(figures['completion.p50'] ?? null, 'ms'), note: own('completion.p50') },
    { name: '99 % of the hosts', value: quantityText(figures['completion.p99'] ?? null, 'ms'), note: own('completion.p99') },
    { name: 'sent by the origin', value: quantityText(figures['origin.bytes'] ?? 0, 'bytes'), note: imageBytes === 0 ? '' : `${ratioText((figures['origin.bytes'] ?? 0) / imageBytes)} the image` }
  ]
}
