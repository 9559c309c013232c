/** A text with each place `<!-- begin NAME -->` … `<!-- end NAME -->` filled anew. @throws RangeError when a place is missing */
export function fillSections (text: string, sections: Readonly<Record<string, () => string>>): string {
  return Object.entries(sections).reduce((filled, [name, content]) => {
    const [begin, end] = [`<!-- begin ${name} -->`, `<!-- end ${name} -->`]
    const [from, to] = [filled.indexOf(begin), filled.indexOf(end)]
    if (from < 0 || to < from) throw new RangeError(`there is no ${begin} with ${end} after it`)
    return `${filled.slice(0, from + begin.length)}\n${content()}\n${filled.slice(to)}`
  }, text)
}
