import { DeadlineError, ShoalError } from '../errors.ts'

/** What went wrong, for whoever decides what to do next. */
export type OriginErrorCode =
  /** The registry knows no such repository, tag, digest or endpoint. */
  | 'ORIGIN_NOT_FOUND'
  /** Credentials are wanted that we lack, or ours are not enough. */
  | 'ORIGIN_DENIED'
  /** Too many requests; see `retryAfterMs`. */
  | 'ORIGIN_RATE_LIMITED'
  /** No connection, 5xx, or cut too often. */
  | 'ORIGIN_UNAVAILABLE'
  /** A phase did not end within its deadline; see `phase` and `timeoutMs`. */
  | 'ORIGIN_TIMEOUT'
  /** A host, realm or redirect that the rules do not allow. */
  | 'ORIGIN_FORBIDDEN'
  /** An answer that cannot be right. */
  | 'ORIGIN_INVALID'

const RETRYABLE: ReadonlySet<OriginErrorCode> = new Set(['ORIGIN_RATE_LIMITED', 'ORIGIN_UNAVAILABLE', 'ORIGIN_TIMEOUT'])

export interface OriginErrorInit {
  /** The registry as in a reference. */
  registry: string
  /** Status of the answer, where there was one. */
  status?: number
  /** With `ORIGIN_RATE_LIMITED`: how long the registry wants us to stay away. */
  retryAfterMs?: number
  cause?: unknown
}

/** What a registry did to us. The message names registry, what was asked and what came; never a secret, a query string or a token. */
export class OriginError extends ShoalError {
  override readonly code: OriginErrorCode
  override readonly retryable: boolean
  override readonly blamesPeer: boolean
  readonly registry: string
  readonly status?: number
  readonly retryAfterMs?: number
  /** With `ORIGIN_TIMEOUT`. */
  readonly phase?: string
  /** With `ORIGIN_TIMEOUT`. */
  readonly timeoutMs?: number

  constructor (code: OriginErrorCode, message: string, { registry, status, retryAfterMs, cause }: OriginErrorInit) {
    super(`${registry}: ${message}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.retryable = RETRYABLE.has(code)
    this.blamesPeer = code === 'ORIGIN_INVALID'
    this.registry = registry
    if (status !== undefined) this.status = status
    if (retryAfterMs !== undefined) this.retryAfterMs = retryAfterMs
    if (cause instanceof DeadlineError) {
      this.phase = cause.phase
      this.timeoutMs = cause.timeoutMs
    }
  }
}
