import { printable } from '../../src/values/printable.ts'
import { quantityText } from '../quantity-text.ts'
import { compareFigures, differenceText } from './difference.ts'
import { figureText } from './figure.ts'
import { runName } from './run-name.ts'
import { textColumns } from './text-layout.ts'
import type { Result } from '../result.ts'
import type { TextInit } from './text-layout.ts'

/** Two results side by side for a terminal, with the difference of each figure as a part of the first. */
export function comparisonText (before: Result, after: Result, init: TextInit = {}): string {
  const rows = compareFigures(before, after).map(({ figure, before: first, after: second, difference }) => (
    [printable(figure), figureText(figure, first), figureText(figure, second), differenceText(difference)]
  ))
  const bounds = ['best possible, T*', quantityText(before.bound.ms, 'ms'), quantityText(after.bound.ms, 'ms'), '']
  return `A: ${printable(runName(before))}\nB: ${printable(runName(after))}\n\n` +
    textColumns([{ title: 'FIGURE' }, { title: 'A', isNumber: true }, { title: 'B', isNumber: true }, { title: 'B AGAINST A', isNumber: true }], [bounds, ...rows], init)
}
