import { ShoalError } from '../errors.ts'

/** A way for bytes between two agents: over a libp2p stream or a direct lane. Owned by one link. */
export interface FrameTransport {
  /** What carries it, for status pages. */
  readonly lane: 'libp2p' | 'direct'
  /** Bytes given to `send` that have not left this process. */
  readonly unsentBytes: number
  /** Called with what arrives. The bytes are lent: valid only during the call. Set it before anything else; nothing is read earlier. */
  onBytes: ((bytes: Uint8Array) => void) | undefined
  /** Called once, when either side has ended it or it broke; after all bytes unless it broke. */
  onClosed: ((error: Error | undefined) => void) | undefined
  /**
   * Sends the parts one behind the other. Resolves when none of the buffers is referenced any more and there is room for
   * more; sends may overlap and keep their order. Rejects once it is closed.
   */
  send (parts: readonly Uint8Array[]): Promise<void>
  /** Reads nothing more before `resume`, so that the sender waits in the end; may be called from `onBytes`. */
  pause (): void
  resume (): void
  /** Ends it when all is sent, and after a short time at the latest. What still comes is dropped. Never throws. */
  close (): Promise<void>
  /** Frees it at once. */
  abort (reason: Error): void
}

/** The transport has ended, so this was not sent, or not all of it. */
export class LaneClosedError extends ShoalError {
  override readonly code = 'LANE_CLOSED'
  override readonly retryable = true

  constructor (lane: FrameTransport['lane'], options?: ErrorOptions) {
    const reason = options?.cause instanceof Error ? `: ${options.cause.message}` : ''
    super(`the ${lane} lane has ended${reason}`, options)
  }
}
