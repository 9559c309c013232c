/**
 * Base of every error Shoal throws on purpose. Callers branch on `code`, never on the text;
 * the two flags carry policy so that nobody has to keep a list of codes.
 */
export abstract class ShoalError extends Error {
  /** Stable, literal, upper case. */
  abstract readonly code: string
  /** Trying the same again later may work. */
  readonly retryable: boolean = false
  /** The peer (or origin) that answered is at fault and should not be asked again for this. */
  readonly blamesPeer: boolean = false

  constructor (message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = new.target.name
  }
}

/** A phase did not end within its deadline. */
export class DeadlineError extends ShoalError {
  override readonly code = 'DEADLINE'
  override readonly retryable = true
  readonly phase: string
  readonly timeoutMs: number

  constructor (phase: string, timeoutMs: number, options?: ErrorOptions) {
    super(`${phase} did not end within ${timeoutMs} ms`, options)
    this.phase = phase
    this.timeoutMs = timeoutMs
  }
}
