import { html } from './markup.ts'
import type { Markup, MarkupPart } from './markup.ts'

/** Columns of numbers stand to the right. */
export interface Column {
  readonly title: string
  readonly isNumber?: boolean
}

/** A table that becomes a list of cards where there is no room for it; each cell then carries its column's title. */
export function table (columns: readonly Column[], rows: ReadonlyArray<readonly MarkupPart[]>): Markup {
  const cell = (part: MarkupPart, index: number): Markup => html`<td data-title="${columns[index]?.title ?? ''}"${kind(columns[index])}>${part}</td>`
  return html`<table>
<thead><tr>${columns.map(column => html`<th scope="col"${kind(column)}>${column.title}</th>`)}</tr></thead>
<tbody>${rows.map(row => html`<tr>${row.map(cell)}</tr>\n`)}</tbody>
</table>`
}

/** Names and what they are, one below the other. */
export function facts (rows: ReadonlyArray<readonly [name: string, value: MarkupPart]>): Markup {
  return html`<dl>${rows.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`
}

function kind (column: Column | undefined): Markup {
  return column?.isNumber === true ? html` class="number"` : html``
}
