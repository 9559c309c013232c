import { ShoalError } from '../../src/errors.ts'

/** A scenario that this machine cannot run with real agents. Its message says why, and what can be done instead. */
export class LiveRunError extends ShoalError {
  override readonly code = 'LIVE_RUN_IMPOSSIBLE'
}
