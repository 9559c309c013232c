import { FIGURES } from '../result.ts'
import { quantityText } from '../quantity-text.ts'
import type { Unit } from '../result.ts'

const OF_GROUP = /^group\.([^.]+)\./

/** What a figure says. */
export function figureMeaning (name: string): string {
  const group = OF_GROUP.exec(name)?.[1]
  return group === undefined ? FIGURES[name]?.meaning ?? '' : `the same of ${group}`
}

export function figureText (name: string, value: number | null): string {
  const unit = figureUnit(name)
  return unit === undefined ? String(value ?? 'none') : quantityText(value, unit)
}

/** What a figure is counted in; undefined: there is no such figure. */
function figureUnit (name: string): Unit | undefined {
  return FIGURES[name.replace(OF_GROUP, 'group.<group>.')]?.unit
}
