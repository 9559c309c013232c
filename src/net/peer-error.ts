import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'

/** How each outcome is to be treated; `blamesPeer` only where the peer broke the protocol. */
const POLICY = {
  PEER_MISSING: { retryable: false, blamesPeer: false },
  PEER_DENIED: { retryable: false, blamesPeer: false },
  PEER_BUSY: { retryable: true, blamesPeer: false },
  PEER_UNREACHABLE: { retryable: true, blamesPeer: false },
  PEER_STALLED: { retryable: true, blamesPeer: false },
  PEER_GONE: { retryable: true, blamesPeer: false },
  PEER_PROTOCOL: { retryable: false, blamesPeer: true }
} as const

/**
 * `PEER_MISSING` has it not. `PEER_DENIED` may not give it. `PEER_BUSY` has no room now (or we have none for it).
 * `PEER_UNREACHABLE` no connection or no such protocol. `PEER_STALLED` silent or too slow. `PEER_GONE` ended early.
 * `PEER_PROTOCOL` answered what nobody may answer.
 */
export type PeerErrorCode = keyof typeof POLICY

/** What a peer did instead of giving what it was asked for. */
export class PeerError extends ShoalError {
  override readonly code: PeerErrorCode
  override readonly retryable: boolean
  override readonly blamesPeer: boolean
  /** Peer id in text form. */
  readonly peer: string

  constructor (code: PeerErrorCode, peer: string, reason: string, options?: ErrorOptions) {
    super(`peer ${peer} ${reason}`, options)
    this.code = code
    this.peer = peer
    this.retryable = POLICY[code].retryable
    this.blamesPeer = POLICY[code].blamesPeer
  }
}

/** The sharing rule forbids giving this content to peers. */
export class ContentDeniedError extends ShoalError {
  override readonly code = 'CONTENT_DENIED'
  readonly digest: Digest

  constructor (digest: Digest) {
    super(`${digest} may not be shared`)
    this.digest = digest
  }
}
