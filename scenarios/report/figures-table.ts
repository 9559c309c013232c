import { figureMeaning, figureText } from './figure.ts'
import { html } from './markup.ts'
import { table } from './table.ts'
import type { Result } from '../result.ts'
import type { Markup } from './markup.ts'

/** All figures of a run by name, as expectations may use them. Those of groups have a table of their own. */
export function figuresTable ({ figures }: Result): Markup {
  const rows = Object.entries(figures).filter(([name]) => !name.startsWith('group.'))
    .map(([name, value]) => [html`<code>${name}</code>`, figureText(name, value), figureMeaning(name)])
  return table([{ title: 'Figure' }, { title: 'Value', isNumber: true }, { title: 'What it is' }], rows)
}
