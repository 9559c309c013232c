import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'

/** Nobody who was asked could give the content; `cause` is what the origin said last, if it was asked. */
export class ContentUnavailableError extends ShoalError {
  override readonly code = 'CONTENT_UNAVAILABLE'
  override readonly retryable = true
  readonly digest: Digest
  /** Every origin that was asked knows no such content, and no peer holds it. */
  readonly isUnknown: boolean

  constructor (digest: Digest, { isUnknown, cause }: { isUnknown: boolean, cause?: unknown }) {
    const reason = cause instanceof Error ? `: ${cause.message}` : ''
    super(`no peer or origin ${isUnknown ? 'knows' : 'could deliver'} ${digest}${reason}`, { cause })
    this.digest = digest
    this.isUnknown = isUnknown
  }
}

/** The origin's own bytes do not match the digest; readers that were given some of them are cut. */
export class WrongContentError extends ShoalError {
  override readonly code = 'CONTENT_WRONG'
  override readonly retryable = true
  readonly digest: Digest

  constructor (digest: Digest, options?: ErrorOptions) {
    super(`the bytes received for ${digest} do not match it`, options)
    this.digest = digest
  }
}

/** Another agent had it before the origin had answered. */
export class OvertakenError extends ShoalError {
  override readonly code = 'FETCH_OVERTAKEN'
  override readonly retryable = true

  constructor (digest: Digest) {
    super(`another agent has ${digest} already`)
  }
}

/** The last caller left, or the agent stops. */
export class FetchAbandonedError extends ShoalError {
  override readonly code = 'FETCH_ABANDONED'
  override readonly retryable = true

  constructor (digest: Digest) {
    super(`the fetch of ${digest} was abandoned`)
  }
}

/** A source gives the blob another size than is known of it. */
export class SizeDisagreementError extends ShoalError {
  override readonly code = 'SIZE_DISAGREES'
  readonly digest: Digest
  readonly expected: number
  readonly actual: number

  constructor (digest: Digest, source: string, expected: number, actual: number) {
    super(`${source} says ${digest} has ${actual} bytes, expected ${expected}`)
    this.digest = digest
    this.expected = expected
    this.actual = actual
  }
}

/** What a peer said or sent cannot be true. */
export class PeerLieError extends ShoalError {
  override readonly code = 'PEER_LIE'
  override readonly blamesPeer = true
  readonly peer: string

  constructor (peer: string, what: string) {
    super(`peer ${peer} ${what}`)
    this.peer = peer
  }
}

/** What an event tells of an error. */
export function reasonOf (error: unknown): { readonly code: string, readonly reason: string } {
  return { code: error instanceof ShoalError ? error.code : 'UNKNOWN', reason: error instanceof Error ? error.message : String(error) }
}
