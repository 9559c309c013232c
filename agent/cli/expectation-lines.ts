import { figureText } from '../../scenarios/report/figure.ts'
import { ExpectationError } from './cli-error.ts'
import type { Result } from '../../scenarios/result.ts'

/** A line for each expectation that is not met. @param name - of the run, where there are several */
export function unmetLines ({ scenario: { expect }, expectations }: Result, name?: string): string[] {
  return expectations.flatMap(({ text, actual, limit, isMet }, index) => {
    if (isMet) return []
    const shown = (value: number | null): string => figureText(expect[index]?.figure ?? '', value)
    const found = actual === null ? 'there was no such figure in the end' : `it was ${exactly(shown(actual), actual, limit, shown)}`
    return [`${name === undefined ? '' : `${name}: `}expected ${text}: ${found}${limit === null ? '' : `, and the limit ${exactly(shown(limit), limit, actual, shown)}`}`]
  })
}

/** @throws ExpectationError when there is a line */
export function throwIfUnmet (lines: readonly string[]): void {
  if (lines.length > 0) throw new ExpectationError(lines.join('\n'))
}

/** Two values that look the same when they are rounded are shown with all their digits too. */
function exactly (text: string, value: number, other: number | null, shown: (value: number | null) => string): string {
  return shown(other) === text && other !== value ? `${text} (${value})` : text
}
