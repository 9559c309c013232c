import { shortDigest, type Digest } from '../oci/digest.ts'
import type { BodyStream } from './body-stream.ts'
import { parseContentLength, parseContentRange, parseUnsatisfiedRange } from './content-range.ts'
import { OriginError } from './origin-error.ts'
import type { OriginAccess } from './origin.ts'
import type { RegistryAnswer, RegistryClient } from './registry-client.ts'

export interface BlobRequest {
  readonly registry: string
  readonly repository: string
  readonly digest: Digest
  /** Behind the last byte wanted; undefined: all there are. */
  readonly end: number | undefined
  readonly firstByteMs: number
  /** See `BlobOptions`. */
  readonly failsWhenLimited: boolean
}

/** Where a request for the rest of a blob goes on. */
export interface Resumption {
  /** Of the bytes that are here already: others are not wanted. */
  readonly etag: string | undefined
}

export interface OpenedBlob {
  /** undefined where there are no bytes to come. */
  readonly stream: BodyStream | undefined
  /** Where the stream begins: what was asked, or 0 from an origin that ignores Range. */
  readonly start: number
  /** Behind the last byte of the stream; undefined where the origin does not say. */
  readonly end: number | undefined
  /** The origin gave the part asked for, and not the whole. */
  readonly isPart: boolean
  /** Of the whole blob. */
  readonly size: number | undefined
  /** A strong validator, for If-Range. */
  readonly etag: string | undefined
  readonly access: OriginAccess
}

/**
 * Asks for a blob from a byte on, and checks that the answer is about those bytes: RFC 9110, section 14.
 * @param resumption of a body that was cut: where it came from is not trusted to be good for the rest
 * @throws OriginError, or the signal's reason
 */
export async function openBlob (client: RegistryClient, request: BlobRequest, start: number, resumption: Resumption | undefined, signal: AbortSignal): Promise<OpenedBlob> {
  const { registry, repository, digest, end, firstByteMs, failsWhenLimited } = request
  const redirect = resumption === undefined ? 'reuse' : 'renew'
  const asked = { method: 'GET', repository, path: `blobs/${digest}`, accept: '*/*', headers: rangeHeaders(start, end, resumption?.etag), firstByteMs, failsWhenLimited, redirect, signal } as const
  const answer = await client.request(asked)
  const { status, access } = answer
  const invalid = (what: string): OriginError => {
    answer.body?.cancel(new Error(what))
    return new OriginError('ORIGIN_INVALID', `blob ${repository} ${shortDigest(digest)} from byte ${start}: ${what}`, { registry, status })
  }
  if (status === 416) {
    const size = parseUnsatisfiedRange(answer.headers.get('content-range'))
    if (size !== start) throw invalid(`status 416 with Content-Range ${answer.headers.get('content-range') ?? '(none)'}`)
    return { stream: undefined, start, end: start, isPart: true, size, etag: undefined, access }
  }
  if (answer.body === undefined || (status !== 200 && status !== 206)) {
    answer.body?.cancel(new Error('not wanted'))
    throw client.errorOf(asked, answer)
  }
  if (isEncoded(answer)) throw invalid(`Content-Encoding ${answer.headers.get('content-encoding')} though none was accepted`)
  const opened = { stream: answer.body, etag: strongEtag(answer), access }
  const length = parseContentLength(answer.headers.get('content-length'))
  if (status === 200) return { ...opened, start: 0, end: length, isPart: false, size: length }
  const range = parseContentRange(answer.headers.get('content-range'))
  if (range?.start !== start || (end !== undefined && range.end >= end)) throw invalid(`Content-Range ${answer.headers.get('content-range') ?? '(none)'}`)
  if (length !== undefined && length !== range.end - range.start + 1) throw invalid(`Content-Length ${length} with Content-Range ${answer.headers.get('content-range')}`)
  return { ...opened, start, end: range.end + 1, isPart: true, size: range.total }
}

function rangeHeaders (start: number, end: number | undefined, etag: string | undefined): Record<string, string> {
  if (start === 0 && end === undefined) return {}
  return { range: `bytes=${start}-${end === undefined ? '' : end - 1}`, ...(etag === undefined ? {} : { 'if-range': etag }) }
}

function isEncoded ({ headers }: RegistryAnswer): boolean {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  return encoding !== '' && encoding !== 'identity'
}

function strongEtag ({ headers }: RegistryAnswer): string | undefined {
  const etag = headers.get('etag')
  return etag !== undefined && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : undefined
}
