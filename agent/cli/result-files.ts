import { join } from 'node:path'
import { RESULT_FILE, resultText } from '../../scenarios/result-file.ts'
import type { Result } from '../../scenarios/result.ts'
import type { SweepPoint } from '../../scenarios/sweep.ts'
import type { OutputFile } from './simulate-output.ts'

/** A result as a part of a larger JSON document. */
export function resultValue (result: Result): unknown {
  return JSON.parse(resultText(result))
}

/** What is kept of a run. @param folder - for the files, where there is more than one run */
export function resultFiles (result: Result, folder = ''): OutputFile[] {
  return [
    [join(folder, RESULT_FILE), () => resultText(result)],
    [join(folder, 'report.html'), async () => (await import('../../scenarios/report/html.ts')).reportHtml(result)]
  ]
}

/** Two results side by side. */
export function comparisonFile (before: Result, after: Result): OutputFile {
  return ['comparison.html', async () => (await import('../../scenarios/report/comparison-html.ts')).comparisonHtml(before, after)]
}

/** How cost grows with the key that was swept, and the result of each run. */
export function sweepFiles (key: string, points: readonly SweepPoint[]): OutputFile[] {
  return [
    ...points.map(({ value, result }): OutputFile => [`result-${fileName(value)}.json`, () => resultText(result)]),
    ['sweep.html', async () => (await import('../../scenarios/report/sweep-html.ts')).sweepHtml(key, points)]
  ]
}

/** A value such as `50MB/s` is no file's name. */
function fileName (value: string): string {
  return value.replace(/[^\w.-]+/g, '-')
}
