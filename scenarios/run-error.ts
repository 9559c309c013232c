import { ShoalError } from '../src/errors.ts'

/** A scenario that could not be run to any result. The message says why and what to do next. */
export class RunError extends ShoalError {
  override readonly code = 'RUN_FAILED'
}
