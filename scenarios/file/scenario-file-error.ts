import { ShoalError } from '../../src/errors.ts'

/** A scenario can't be run as it is written. One problem a line; each names file, line, column, key, value and what is allowed. */
export class ScenarioFileError extends ShoalError {
  override readonly code = 'SCENARIO_INVALID'
  readonly problems: readonly string[]

  constructor (problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options)
    this.problems = problems
  }
}
