import { printable } from '../../src/values/printable.ts'
import { sweepRow, sweepTitles } from './sweep-rows.ts'
import { textColumns } from './text-layout.ts'
import type { SweepPoint } from '../sweep.ts'
import type { TextInit } from './text-layout.ts'

/** Runs that differ in one key, a line for each. */
export function sweepText (key: string, points: readonly SweepPoint[], init: TextInit = {}): string {
  const columns = sweepTitles(key).map((title, index) => ({ title: printable(title).toUpperCase(), isNumber: index > 0 }))
  return textColumns(columns, points.map(point => sweepRow(point).map(printable)), init)
}
