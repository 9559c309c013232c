import { ShoalError } from '../errors.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import type { ContentKind } from './peers.ts'
import { FieldReader, FieldWriter } from './wire-fields.ts'

/*
 * One stream is one conversation. The asking side sends requests, the other answers them in the order asked.
 *
 *   conversation = *request                       asking side, ends with a clean close of its writing half
 *   answers      = *( response body )             answering side
 *   request      = length message                 length: varint, 1 … MAX_MESSAGE_LENGTH
 *   response     = length message
 *   body         = exactly `length` raw bytes (field 5 of the response); none unless code is ok and the request was a read
 *   message      = *field                         protocol buffers wire format, varint (0) and length-delimited (2) fields
 *
 *   request:   1 id   2 operation (1 have, 2 read)   3 kind (1 blob, 2 manifest)   4 digest, text   5 start   6 length
 *   response:  1 id   2 code (1 ok, 2 missing, 3 denied, 4 busy, 5 bad request)    3 size   4 restricted   5 length
 *
 * Absent numbers are 0, fields may come in any order, the last of several counts, unknown fields are skipped.
 * A read gets min(asked length, size - start) bytes, so none at start = size; start > size is a bad request.
 * A body that cannot be completed is cut by a stream reset: there is no code inside a body.
 */

/** Protocol id; a change that an older agent cannot skip over gets another number. */
export const BLOB_PROTOCOL = '/shoal/blob/1'
/** Bytes of a message without its length. A digest is at most 135 of them; the rest is room for fields to come. */
export const MAX_MESSAGE_LENGTH = 1024
/** Bytes one read may ask for. */
export const MAX_READ_LENGTH = 1024 * 1024

const KINDS: readonly ContentKind[] = ['blob', 'manifest']
const CODES = ['ok', 'missing', 'denied', 'busy', 'bad-request'] as const

export type ResponseCode = (typeof CODES)[number]

export interface HaveRequest {
  readonly operation: 'have'
  readonly id: number
  readonly kind: ContentKind
  readonly digest: Digest
}

export interface ReadRequest {
  readonly operation: 'read'
  readonly id: number
  readonly kind: ContentKind
  readonly digest: Digest
  readonly start: number
  /** Bytes, 1 … MAX_READ_LENGTH. */
  readonly length: number
}

export type BlobRequest = HaveRequest | ReadRequest

export interface BlobResponse {
  readonly id: number
  readonly code: ResponseCode
  /** Bytes of the whole content; 0 unless ok. */
  readonly size: number
  readonly restricted: boolean
  /** Bytes of the body that follows. */
  readonly length: number
}

/** The bytes are no message of the blob protocol. */
export class BlobMessageError extends ShoalError {
  override readonly code = 'BLOB_MESSAGE_INVALID'
  override readonly blamesPeer = true
  /** The request's id, when it could be read: the refusal can name it. */
  readonly id: number | undefined

  constructor (reason: string, id?: number) {
    super(`invalid blob protocol message: ${reason}`)
    this.id = id
  }
}

const writer = new FieldWriter()
const fields = new FieldReader(reason => new BlobMessageError(reason))

/** A message with its length in front. */
export function encodeRequest (request: BlobRequest): Uint8Array {
  writer.clear()
    .number(1, request.id)
    .number(2, request.operation === 'have' ? 1 : 2)
    .number(3, KINDS.indexOf(request.kind) + 1)
    .text(4, request.digest)
  if (request.operation === 'read') writer.number(5, request.start).number(6, request.length)
  return writer.framed()
}

/** @param message - a message without its length. @throws BlobMessageError */
export function decodeRequest (message: Uint8Array): BlobRequest {
  const fields = read(message)
  const id = fields.number(1)
  const kind = KINDS[fields.number(3) - 1]
  const digest = fields.text(4)
  if (id === 0) throw new BlobMessageError('a request without id')
  if (kind === undefined) throw new BlobMessageError(`unknown kind ${fields.number(3)}`, id)
  if (!isDigest(digest)) throw new BlobMessageError('a request without a valid digest', id)
  const start = fields.number(5)
  const length = fields.number(6)
  switch (fields.number(2)) {
    case 1:
      return { operation: 'have', id, kind, digest }
    case 2:
      if (length === 0 || length > MAX_READ_LENGTH) throw new BlobMessageError(`a read of ${length} bytes, allowed are 1 to ${MAX_READ_LENGTH}`, id)
      return { operation: 'read', id, kind, digest, start, length }
    default:
      throw new BlobMessageError(`unknown operation ${fields.number(2)}`, id)
  }
}

/** A message with its length in front. */
export function encodeResponse (response: BlobResponse): Uint8Array {
  return writer.clear()
    .number(1, response.id)
    .number(2, CODES.indexOf(response.code) + 1)
    .number(3, response.size)
    .flag(4, response.restricted)
    .number(5, response.length)
    .framed()
}

/** @param message - a message without its length. @throws BlobMessageError */
export function decodeResponse (message: Uint8Array): BlobResponse {
  const fields = read(message)
  const id = fields.number(1)
  const code = CODES[fields.number(2) - 1]
  if (code === undefined) throw new BlobMessageError(`unknown code ${fields.number(2)}`, id)
  return { id, code, size: fields.number(3), restricted: fields.flag(4), length: fields.number(5) }
}

function read (message: Uint8Array): FieldReader {
  if (message.byteLength > MAX_MESSAGE_LENGTH) throw new BlobMessageError(`${message.byteLength} bytes, allowed are ${MAX_MESSAGE_LENGTH}`)
  fields.read(message)
  return fields
}
