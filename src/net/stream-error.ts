import { ShoalError } from '../errors.ts'

/** The stream ended cleanly where more had to come. */
export class StreamEndedError extends ShoalError {
  override readonly code = 'STREAM_ENDED'
  override readonly retryable = true

  constructor (where: string) {
    super(`the stream ended ${where}`)
  }
}

/** The stream was reset, or its connection broke, or we aborted it. */
export class StreamCutError extends ShoalError {
  override readonly code = 'STREAM_CUT'
  override readonly retryable = true

  constructor (options?: ErrorOptions) {
    const reason = options?.cause instanceof Error ? `: ${options.cause.message}` : ''
    super(`the stream was cut${reason}`, options)
  }
}

/** More bytes arrived than the other side was allowed to have on their way. */
export class StreamOverflowError extends ShoalError {
  override readonly code = 'STREAM_OVERFLOW'
  override readonly blamesPeer = true

  constructor (bufferedBytes: number, maxBufferedBytes: number) {
    super(`${bufferedBytes} unread bytes on a stream that allows ${maxBufferedBytes}`)
  }
}

/** A length in front of a message is broken, zero or too large. */
export class FramingError extends ShoalError {
  override readonly code = 'STREAM_FRAMING'
  override readonly blamesPeer = true

  constructor (reason: string) {
    super(`invalid message length: ${reason}`)
  }
}
