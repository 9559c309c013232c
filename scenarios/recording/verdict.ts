import type { ExpectationResult, Result } from '../result.ts'
import type { Comparison, Expectation } from '../scenario.ts'

/** What expectations may be in units of. */
export type Judged = Pick<Result, 'figures' | 'bound' | 'imageBytes'>

/** An expectation without a figure, or without what it is compared with, is not met. @param clean - the run without faults */
export function judge ({ text, figure, comparison, value, of }: Expectation, result: Judged, clean: Pick<Result, 'figures'> | undefined): ExpectationResult {
  const actual = result.figures[figure] ?? null
  const unit = unitOf(of, figure, result, clean)
  const limit = unit === null ? null : value * unit
  return { text, actual, limit, isMet: actual !== null && limit !== null && holds(actual, comparison, limit) }
}

function unitOf (of: Expectation['of'], figure: string, { bound, imageBytes }: Judged, clean: Pick<Result, 'figures'> | undefined): number | null {
  switch (of) {
    case 'bound': return Number.isFinite(bound.ms) ? bound.ms : null
    case 'image': return imageBytes
    case 'clean': return clean?.figures[figure] ?? null
    case undefined: return 1
    default: return of satisfies never
  }
}

function holds (actual: number, comparison: Comparison, limit: number): boolean {
  switch (comparison) {
    case '<=': return actual <= limit
    case '>=': return actual >= limit
    case '<': return actual < limit
    case '>': return actual > limit
    case '==': return actual === limit
    default: return comparison satisfies never
  }
}
