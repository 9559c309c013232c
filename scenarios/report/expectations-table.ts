import { figureText } from './figure.ts'
import { html } from './markup.ts'
import { table } from './table.ts'
import type { Result } from '../result.ts'
import type { Markup } from './markup.ts'

/** What was expected of the run, and whether it came so. */
export function expectationsTable ({ expectations, scenario: { expect } }: Result): Markup {
  if (expectations.length === 0) return html`<p class="note">The scenario expects nothing, so nothing can be missed.</p>`
  const rows = expectations.map(({ text, actual, limit, isMet }, index) => {
    const figure = expect[index]?.figure ?? ''
    return [
      isMet ? html`<b class="good">✓ met</b>` : html`<b class="bad">✗ missed</b>`,
      html`<code>${text}</code>`,
      figureText(figure, actual),
      limit === null ? 'none' : figureText(figure, limit)
    ]
  })
  return table([{ title: '' }, { title: 'Expected' }, { title: 'It was', isNumber: true }, { title: 'Limit', isNumber: true }], rows)
}
