import type { Result } from '../result.ts'

/** One figure of two runs. */
export interface FigureDifference {
  readonly figure: string
  readonly before: number | null
  readonly after: number | null
  /** Of `before`: 0.1 is a tenth more. Null: one is missing, or there was nothing before. */
  readonly difference: number | null
}

/** Every figure that one of two results has, in the order of the first. */
export function compareFigures (before: Pick<Result, 'figures'>, after: Pick<Result, 'figures'>): FigureDifference[] {
  const names = new Set([...Object.keys(before.figures), ...Object.keys(after.figures)])
  return [...names].flatMap(figure => {
    const [first, second] = [before.figures[figure] ?? null, after.figures[figure] ?? null]
    return first === null && second === null ? [] : [{ figure, before: first, after: second, difference: differenceOf(first, second) }]
  })
}

/** `+3.1 %`, `same`, or nothing where there is no difference to tell. */
export function differenceText (difference: number | null): string {
  if (difference === null) return ''
  const percent = 100 * difference
  if (Math.abs(percent) < 0.05) return difference === 0 ? 'same' : 'hardly any'
  return `${percent > 0 ? '+' : '−'}${Math.abs(percent).toFixed(1)} %`
}

function differenceOf (before: number | null, after: number | null): number | null {
  if (before === null || after === null) return null
  if (before === after) return 0
  return before === 0 ? null : (after - before) / before
}
