import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'

/** Nobody would hear the announcement now. */
export class RouterNotReadyError extends ShoalError {
  override readonly code = 'ROUTER_NOT_READY'
  override readonly retryable = true

  constructor () {
    super('the router knows no other peer yet')
  }
}

/** Peers were asked to remember that we hold the blob, and none did. */
export class ProvideError extends ShoalError {
  override readonly code = 'ROUTER_PROVIDE_FAILED'
  override readonly retryable = true
  readonly digest: Digest

  constructor (digest: Digest, reason: string, options?: ErrorOptions) {
    super(`could not announce ${digest}: ${reason}`, options)
    this.digest = digest
  }
}
