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
  readonly firstByteMs: number
}

export interface OpenedBlob {
  /** undefined where there are no bytes to come. */
  readonly stream: BodyStream | undefined
  /** Where the stream begins: what was asked, or 0 from an origin that ignores Range. */
  readonly start: number
  /** Of the whole blob. */
  readonly size: number | undefined
  /** A strong validator, for If-Range. */
  readonly etag: string | undefined
  readonly access: OriginAccess
}

/**
 * Asks for a blob from a byte on, and checks that the answer is about those bytes: RFC 9110, section 14.
 * @param etag of the bytes that are here already: others are not wanted
 * @throws OriginError, or the signal's reason
 */
export async function openBlob (client: RegistryClient, request: BlobRequest, start: number, etag: string | undefined, signal: AbortSignal): Promise<OpenedBlob> {
  const { registry, repository, digest, firstByteMs } = request
  const headers = start === 0 ? {} : { range: `bytes=${start}-`, ...(etag === undefined ? {} : { 'if-range': etag }) }
  const asked = { method: 'GET', repository, path: `blobs/${digest}`, accept: '*/*', headers, firstByteMs, signal } as const
  const answer = await client.request(asked)
  const { status, access } = answer
  const invalid = (what: string): OriginError => {
    answer.body?.cancel(new Error(what))
    return new OriginError('ORIGIN_INVALID', `blob ${repository} ${shortDigest(digest)} from byte ${start}: ${what}`, { registry, status })
  }
  if (status === 416) {
    const size = parseUnsatisfiedRange(answer.headers.get('content-range'))
    if (size !== start) throw invalid(`status 416 with Content-Range ${answer.headers.get('content-range') ?? '(none)'}`)
    return { stream: undefined, start, size, etag: undefined, access }
  }
  if (answer.body === undefined || (status !== 200 && status !== 206)) {
    answer.body?.cancel(new Error('not wanted'))
    throw client.errorOf(asked, answer)
  }
  if (isEncoded(answer)) throw invalid(`Content-Encoding ${answer.headers.get('content-encoding')} though none was accepted`)
  const opened = { stream: answer.body, etag: strongEtag(answer), access }
  if (status === 200) return { ...opened, start: 0, size: parseContentLength(answer.headers.get('content-length')) }
  const range = parseContentRange(answer.headers.get('content-range'))
  const length = parseContentLength(answer.headers.get('content-length'))
  if (range?.start !== start) throw invalid(`Content-Range ${answer.headers.get('content-range') ?? '(none)'}`)
  if (length !== undefined && length !== range.end - range.start + 1) throw invalid(`Content-Length ${length} with Content-Range ${answer.headers.get('content-range')}`)
  return { ...opened, start, size: range.total }
}

function isEncoded ({ headers }: RegistryAnswer): boolean {
  const encoding = headers.get('content-encoding')?.trim().toLowerCase() ?? ''
  return encoding !== '' && encoding !== 'identity'
}

function strongEtag ({ headers }: RegistryAnswer): string | undefined {
  const etag = headers.get('etag')
  return etag !== undefined && /^"[\x21\x23-\x7e]*"$/.test(etag) ? etag : undefined
}
