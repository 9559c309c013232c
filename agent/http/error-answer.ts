import { ShoalError } from '../../src/errors.ts'
import { OciError, ociError } from '../../src/oci/oci-error.ts'

/** What was asked for, which names the right code for "not to be had". */
export type AskedFor = 'manifest' | 'blob' | 'name'

const UNKNOWN_CODE = { manifest: 'MANIFEST_UNKNOWN', blob: 'BLOB_UNKNOWN', name: 'NAME_UNKNOWN' } as const

/**
 * The answer for an error. Whatever keeps content from a client is a 404: engines go on to their next source at once,
 * while a 5xx makes Docker wait for more than a minute and podman fail. Only a defect of ours is a 500.
 */
export function answerFor (error: unknown, askedFor: AskedFor): OciError {
  if (error instanceof OciError) return error
  if (!(error instanceof ShoalError)) return ociError('UNKNOWN', { message: 'the agent failed; its log says why', cause: error })
  if (error.code === 'DIGEST_INVALID') return ociError('DIGEST_INVALID', { message: error.message, cause: error })
  return ociError(UNKNOWN_CODE[askedFor], { message: error.message, detail: { reason: error.code }, cause: error })
}
