/** HTML that is safe to put into a page as it stands. */
export class Markup {
  readonly text: string

  constructor (text: string) {
    this.text = text
  }
}

export type MarkupPart = Markup | string | number | readonly MarkupPart[]

/** HTML of a template: what is put in is escaped unless it is Markup itself; lists are joined. */
export function html (strings: TemplateStringsArray, ...parts: readonly MarkupPart[]): Markup {
  return new Markup(String.raw({ raw: strings }, ...parts.map(textOf)))
}

function textOf (part: MarkupPart): string {
  if (part instanceof Markup) return part.text
  if (typeof part === 'object') return part.map(textOf).join('')
  return String(part).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll('\'', '&#39;')
}
