import { ShoalError } from '../../src/errors.ts'

/** The configuration can't be used. One problem a line; each names its source, the key, the value and what is allowed. Holds no secret. */
export class ConfigError extends ShoalError {
  override readonly code = 'CONFIG_INVALID'
  readonly problems: readonly string[]

  constructor (problems: readonly string[], options?: ErrorOptions) {
    super(problems.join('\n'), options)
    this.problems = problems
  }
}
