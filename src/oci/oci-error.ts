import { ShoalError } from '../errors.ts'

/**
 * Every code a registry may answer with, its message and HTTP status: OCI distribution spec 1.1, "Error Codes";
 * TAG_INVALID, RANGE_INVALID, UNAVAILABLE and UNKNOWN are Docker's additions to that list.
 */
const CATALOGUE = {
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to registry' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'blob upload invalid' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'blob upload unknown to registry' },
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  DIGEST_INVALID: { status: 400, message: 'digest is not sha256:<64 hex> or sha512:<128 hex>, or does not match the content' },
  MANIFEST_BLOB_UNKNOWN: { status: 404, message: 'manifest references a manifest or blob unknown to registry' },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown to registry' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to registry' },
  RANGE_INVALID: { status: 416, message: 'requested range cannot be satisfied' },
  SIZE_INVALID: { status: 400, message: 'size invalid' },
  TAG_INVALID: { status: 400, message: 'invalid tag' },
  TOOMANYREQUESTS: { status: 429, message: 'too many requests' },
  UNAUTHORIZED: { status: 401, message: 'authentication required' },
  UNAVAILABLE: { status: 503, message: 'service unavailable' },
  UNKNOWN: { status: 500, message: 'unknown error' },
  UNSUPPORTED: { status: 405, message: 'the operation is unsupported' }
} as const satisfies Record<string, { status: number, message: string }>

export type OciErrorCode = keyof typeof CATALOGUE

export interface OciErrorInit {
  /** @default the catalogue's text for the code */
  readonly message?: string
  /** Facts for the client, JSON; never a secret. */
  readonly detail?: unknown
  readonly cause?: unknown
  /** HTTP status. @default the catalogue's status for the code */
  readonly status?: number
}

/** The body of a registry's error answer: OCI distribution spec 1.1, "Error Codes". */
export interface OciErrorBody {
  readonly errors: ReadonlyArray<{ readonly code: OciErrorCode, readonly message: string, readonly detail?: unknown }>
}

/** An error that can be told to a registry client as it stands. */
export class OciError extends ShoalError {
  override readonly code: OciErrorCode
  override readonly retryable: boolean
  /** HTTP status. */
  readonly status: number
  readonly detail: unknown

  constructor (code: OciErrorCode, init: OciErrorInit = {}) {
    super(init.message ?? CATALOGUE[code].message, init.cause === undefined ? undefined : { cause: init.cause })
    this.code = code
    this.retryable = code === 'TOOMANYREQUESTS' || code === 'UNAVAILABLE'
    this.status = init.status ?? CATALOGUE[code].status
    this.detail = init.detail
  }

  toJSON (): OciErrorBody {
    return { errors: [{ code: this.code, message: this.message, ...(this.detail === undefined ? {} : { detail: this.detail }) }] }
  }

  /** The JSON text of the answer. */
  body (): string {
    return JSON.stringify(this)
  }
}

/** Shorthand for `new OciError`, for `throw ociError('BLOB_UNKNOWN', { detail: { digest } })`. */
export function ociError (code: OciErrorCode, init?: OciErrorInit): OciError {
  return new OciError(code, init)
}
