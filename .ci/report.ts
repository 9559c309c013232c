import { readFileSync } from 'node:fs'

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly numPassedTests: number
  readonly numFailedTests: number
  readonly numPendingTests: number
  readonly numTodoTests: number
  readonly numFailedTestSuites: number
  readonly testResults: ReadonlyArray<{ readonly name: string, readonly assertionResults: ReadonlyArray<{ readonly fullName: string, readonly status: string }> }>
}

const report = JSON.parse(readFileSync('.vitest/results.json', 'utf8')) as Report
const skipped = report.testResults.flatMap(({ name, assertionResults }) => assertionResults
  .filter(({ status }) => status !== 'passed' && status !== 'failed')
  .map(({ fullName }) => `${name}: ${fullName}`))
for (const test of skipped) console.error(`skipped, which no test may be here: ${test}`)
const failed = report.numFailedTests + (report.numFailedTests === 0 ? report.numFailedTestSuites : 0)
console.log(`${report.numPassedTests} passed, ${failed} failed, ${skipped.length} skipped`)
if (skipped.length > 0 || failed > 0 || report.numPassedTests === 0) process.exitCode = 1
