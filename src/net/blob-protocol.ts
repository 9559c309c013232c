import { ShoalError } from '../errors.ts'
import { isDigest, type Digest } from '../oci/digest.ts'
import type { ContentKind } from './peers.ts'
import { decodeVarint, encodeVarint } from './varint.ts'

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

const WIRE_VARINT = 0
const WIRE_BYTES = 2
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

/** A message with its length in front. */
export function encodeRequest (request: BlobRequest): Uint8Array {
  const fields: number[] = []
  putNumber(fields, 1, request.id)
  putNumber(fields, 2, request.operation === 'have' ? 1 : 2)
  putNumber(fields, 3, KINDS.indexOf(request.kind) + 1)
  putText(fields, 4, request.digest)
  if (request.operation === 'read') {
    putNumber(fields, 5, request.start)
    putNumber(fields, 6, request.length)
  }
  return withLength(fields)
}

/** @param message - a message without its length. @throws BlobMessageError */
export function decodeRequest (message: Uint8Array): BlobRequest {
  const fields = decodeFields(message)
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
  const fields: number[] = []
  putNumber(fields, 1, response.id)
  putNumber(fields, 2, CODES.indexOf(response.code) + 1)
  putNumber(fields, 3, response.size)
  putNumber(fields, 4, response.restricted ? 1 : 0)
  putNumber(fields, 5, response.length)
  return withLength(fields)
}

/** @param message - a message without its length. @throws BlobMessageError */
export function decodeResponse (message: Uint8Array): BlobResponse {
  const fields = decodeFields(message)
  const id = fields.number(1)
  const code = CODES[fields.number(2) - 1]
  if (code === undefined) throw new BlobMessageError(`unknown code ${fields.number(2)}`, id)
  return { id, code, size: fields.number(3), restricted: fields.number(4) !== 0, length: fields.number(5) }
}

function putNumber (to: number[], field: number, value: number): void {
  if (value !== 0) to.push(field << 3 | WIRE_VARINT, ...encodeVarint(value))
}

function putText (to: number[], field: number, value: string): void {
  to.push(field << 3 | WIRE_BYTES, ...encodeVarint(value.length), ...Buffer.from(value, 'latin1'))
}

function withLength (message: readonly number[]): Uint8Array {
  return Uint8Array.from([...encodeVarint(message.length), ...message])
}

class Fields {
  readonly #values = new Map<number, number | Uint8Array>()

  set (field: number, value: number | Uint8Array): void {
    this.#values.set(field, value)
  }

  number (field: number): number {
    const value = this.#values.get(field) ?? 0
    if (typeof value !== 'number') throw new BlobMessageError(`field ${field} is not a number`)
    return value
  }

  text (field: number): string {
    const value = this.#values.get(field) ?? new Uint8Array()
    if (typeof value === 'number') throw new BlobMessageError(`field ${field} is not text`)
    return Buffer.from(value).toString('latin1')
  }
}

function decodeFields (message: Uint8Array): Fields {
  if (message.byteLength > MAX_MESSAGE_LENGTH) throw new BlobMessageError(`${message.byteLength} bytes, allowed are ${MAX_MESSAGE_LENGTH}`)
  const fields = new Fields()
  let offset = 0
  while (offset < message.byteLength) {
    const tag = varintAt(message, offset)
    const field = Math.floor(tag.value / 8)
    const wireType = tag.value % 8
    if (field === 0) throw new BlobMessageError('a field numbered 0')
    if (wireType !== WIRE_VARINT && wireType !== WIRE_BYTES) throw new BlobMessageError(`wire type ${wireType}`)
    const number = varintAt(message, tag.end)
    if (wireType === WIRE_VARINT) {
      fields.set(field, number.value)
      offset = number.end
    } else {
      offset = number.end + number.value
      if (offset > message.byteLength) throw new BlobMessageError(`field ${field} is longer than its message`)
      fields.set(field, message.subarray(number.end, offset))
    }
  }
  return fields
}

function varintAt (message: Uint8Array, offset: number): { value: number, end: number } {
  const varint = decodeVarint(message, offset)
  if (varint === undefined || varint === 'invalid') throw new BlobMessageError('a broken varint')
  return varint
}
