import { ShoalError } from '../errors.ts'

/** How each outcome is to be treated. Nobody is blamed: whoever answered at that address need not be the peer. */
const IS_RETRYABLE = {
  LANE_UNREACHABLE: true,
  LANE_FINGERPRINT: false,
  LANE_REFUSED: true,
  LANE_EXPIRED: true,
  LANE_LISTEN: false
} as const

/**
 * `LANE_UNREACHABLE` no TLS connection there in time. `LANE_FINGERPRINT` another certificate than the offer's.
 * `LANE_REFUSED` the token was not taken. `LANE_EXPIRED` nobody came for our offer. `LANE_LISTEN` we cannot listen.
 */
export type DirectLaneErrorCode = keyof typeof IS_RETRYABLE

/** No direct lane came about. */
export class DirectLaneError extends ShoalError {
  override readonly code: DirectLaneErrorCode
  override readonly retryable: boolean

  constructor (code: DirectLaneErrorCode, reason: string, options?: ErrorOptions) {
    super(`no direct lane: ${reason}`, options)
    this.code = code
    this.retryable = IS_RETRYABLE[code]
  }
}
