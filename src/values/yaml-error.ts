import { ShoalError } from '../errors.ts'

/** One thing that is wrong with a YAML text. `reason` may quote the text. */
export interface YamlProblem {
  /** `file:line:column`. */
  readonly place: string
  readonly reason: string
}

/** A text is no YAML mapping. */
export class YamlError extends ShoalError {
  override readonly code = 'YAML_INVALID'
  readonly problems: readonly YamlProblem[]

  constructor (problems: readonly YamlProblem[], options?: ErrorOptions) {
    super(problems.map(({ place, reason }) => `${place}: ${reason}`).join('\n'), options)
    this.problems = problems
  }
}
