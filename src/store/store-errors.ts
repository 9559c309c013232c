import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'

/** All bytes are here and they are not the blob's. */
export class DigestMismatchError extends ShoalError {
  override readonly code = 'DIGEST_MISMATCH'
  readonly expected: Digest
  readonly actual: Digest

  constructor (expected: Digest, actual: Digest, options?: ErrorOptions) {
    super(`content has digest ${actual}, expected ${expected}`, options)
    this.expected = expected
    this.actual = actual
  }
}

/** A partial blob has, or would get, another length than its size. */
export class PartialSizeError extends ShoalError {
  override readonly code = 'PARTIAL_SIZE'
  readonly digest: Digest
  /** Bytes the blob has. */
  readonly expected: number
  /** Bytes it has or would have here. */
  readonly actual: number

  constructor (digest: Digest, expected: number, actual: number, options?: ErrorOptions) {
    super(`partial ${digest} has ${expected} bytes in all, got ${actual}`, options)
    this.digest = digest
    this.expected = expected
    this.actual = actual
  }
}

/** Two writers for one blob: the second must join the first. */
export class PartialInUseError extends ShoalError {
  override readonly code = 'PARTIAL_IN_USE'
  readonly digest: Digest

  constructor (digest: Digest, options?: ErrorOptions) {
    super(`partial ${digest} is open already`, options)
    this.digest = digest
  }
}

/** `commit` without a `verify` of the bytes as they are now. */
export class NotVerifiedError extends ShoalError {
  override readonly code = 'NOT_VERIFIED'
  readonly digest: Digest

  constructor (digest: Digest, options?: ErrorOptions) {
    super(`partial ${digest} was not verified since its last change`, options)
    this.digest = digest
  }
}

/** The partial, reader or store was closed before. */
export class StoreClosedError extends ShoalError {
  override readonly code = 'STORE_CLOSED'
  readonly what: string

  constructor (what: string, options?: ErrorOptions) {
    super(`${what} is closed`, options)
    this.what = what
  }
}

/** No room on the disk, or none left in the quota. */
export class StoreFullError extends ShoalError {
  override readonly code = 'STORE_FULL'
  override readonly retryable = true
  readonly path: string

  constructor (path: string, options?: ErrorOptions) {
    super(`no space left for ${path}`, options)
    this.path = path
  }
}

/** Another process holds the data directory. */
export class StoreInUseError extends ShoalError {
  override readonly code = 'STORE_IN_USE'
  readonly directory: string

  constructor (directory: string, options?: ErrorOptions) {
    super(`data directory ${directory} is in use by another agent; stop it or choose another --data`, options)
    this.directory = directory
  }
}

/** The data directory cannot be made, read or written. */
export class StoreUnwritableError extends ShoalError {
  override readonly code = 'STORE_UNWRITABLE'
  readonly path: string

  constructor (path: string, options: ErrorOptions & { cause: unknown }) {
    super(`cannot write ${path}: ${reasonOf(options.cause)}`, options)
    this.path = path
  }
}

/** The database of records is damaged beyond repair. The blobs are not: they are adopted by a new database. */
export class StoreCorruptError extends ShoalError {
  override readonly code = 'STORE_CORRUPT'
  readonly path: string

  constructor (path: string, options: ErrorOptions & { cause: unknown }) {
    super(`database ${path} is damaged and could not be repaired (${reasonOf(options.cause)}); remove that directory to start a new one, blobs are kept`, options)
    this.path = path
  }
}

/** A file could not be hashed: unreadable, shorter than it should be, or the thread ended. */
export class HashFailedError extends ShoalError {
  override readonly code = 'HASH_FAILED'
  override readonly retryable = true
  readonly path: string
  /** errno of the read, `SHORT_READ`, `WORKER` or `STOPPED`. */
  readonly reason: string

  constructor (path: string, reason: string, message: string, options?: ErrorOptions) {
    super(`cannot hash ${path}: ${message}`, options)
    this.path = path
    this.reason = reason
  }
}

/** Bytes that were here could not be read back. */
export class BlobReadError extends ShoalError {
  override readonly code = 'BLOB_READ'
  override readonly retryable = true
  readonly digest: Digest
  readonly position: number

  constructor (digest: Digest, position: number, reason: string, options?: ErrorOptions) {
    super(`cannot read ${digest} at byte ${position}: ${reason}`, options)
    this.digest = digest
    this.position = position
  }
}

function reasonOf (cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause)
}
