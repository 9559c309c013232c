import { describe, expect, it } from 'vitest'
import { ShoalError } from '../../src/errors.ts'
import { OciError, ociError } from '../../src/oci/oci-error.ts'

describe('OciError', () => {
  it('takes message and status from the catalogue', () => {
    const error = ociError('BLOB_UNKNOWN')
    expect(error).toBeInstanceOf(OciError)
    expect(error).toBeInstanceOf(ShoalError)
    expect(error).toMatchObject({ code: 'BLOB_UNKNOWN', status: 404, message: 'blob unknown to registry', retryable: false, name: 'OciError' })
  })

  it.each([
    ['MANIFEST_UNKNOWN', 404], ['NAME_UNKNOWN', 404], ['DIGEST_INVALID', 400], ['NAME_INVALID', 400], ['RANGE_INVALID', 416],
    ['UNAUTHORIZED', 401], ['DENIED', 403], ['UNSUPPORTED', 405], ['TOOMANYREQUESTS', 429]
  ] as const)('answers %s with %i', (code, status) => {
    expect(ociError(code).status).toBe(status)
  })

  it('is told to clients in the form of the specification', () => {
    const error = ociError('NAME_UNKNOWN', { message: 'no such repository', detail: { name: 'a/b' } })
    expect(JSON.parse(error.body())).toEqual({ errors: [{ code: 'NAME_UNKNOWN', message: 'no such repository', detail: { name: 'a/b' } }] })
    expect(error.toJSON()).toEqual(JSON.parse(error.body()))
  })

  it('leaves out a detail it does not have', () => {
    expect(ociError('DENIED').toJSON().errors[0]).not.toHaveProperty('detail')
  })

  it('keeps cause and status it was given', () => {
    const cause = new Error('below')
    expect(ociError('SIZE_INVALID', { cause, status: 413 })).toMatchObject({ cause, status: 413 })
  })

  it('says when asking again may work', () => {
    expect(ociError('TOOMANYREQUESTS').retryable).toBe(true)
  })
})
