import { randomBytes } from 'node:crypto'
import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { contentRange, etagMatches, ifRangeMatches, parseByteRange, unsatisfiedRange, type ByteRange } from '../../src/oci/byte-range.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { ociError } from '../../src/oci/oci-error.ts'
import { writeBody, type BodyPart, type BodySpan } from './body-writer.ts'

/** What headers say of content that is named by its digest. */
export interface ContentFacts {
  readonly digest: Digest
  readonly mediaType: string
  /** Undefined: no length is known, and it is sent in whole. */
  readonly size: number | undefined
}

/** Content ready to be sent in whole or in parts. */
export interface Content extends ContentFacts {
  /** Waits until the byte at this position can be sent. */
  ready (position: number): Promise<void>
  /** Up to `buffer.length` bytes from `position`; 0 at the end. */
  readonly read: BodySpan['read']
  /** Told once, when the answer has ended or its client has gone. */
  readonly onSent: (bytes: number) => void
  /** Told what cut the answer, unless the client went away. */
  readonly onCut: (error: unknown) => void
}

/** Headers that say what the content is; the same for GET and HEAD. */
export function describeContent (reply: FastifyReply, { digest, mediaType, size }: ContentFacts): void {
  reply.header('Content-Type', mediaType)
  reply.header('Docker-Content-Digest', digest)
  reply.header('ETag', `"${digest}"`)
  if (size !== undefined) reply.header('Accept-Ranges', 'bytes').header('Content-Length', size)
}

/** Whether the client has it already; then the answer is 304. */
export function isUnchanged (request: FastifyRequest, digest: Digest): boolean {
  return etagMatches(request.headers['if-none-match'], `"${digest}"`)
}

export function sendNotModified (reply: FastifyReply, digest: Digest): FastifyReply {
  return reply.code(304).header('ETag', `"${digest}"`).header('Docker-Content-Digest', digest).send()
}

/**
 * Sends content as the request's Range asks: 200, 206 with one range or `multipart/byteranges`.
 * RFC 9110, sections 13 to 15.
 * @throws OciError RANGE_INVALID (416, with `Content-Range` naming the size)
 */
export async function sendContent (request: FastifyRequest, reply: FastifyReply, content: Content): Promise<FastifyReply> {
  describeContent(reply, content)
  const { size } = content
  if (size === undefined) return sendBody(reply, content, [spanOf(content, { start: 0, end: Infinity })], undefined)
  const range = isRangeWanted(request, content) ? parseByteRange(request.headers.range, size) : { type: 'whole' as const }
  switch (range.type) {
    case 'whole':
      return sendBody(reply, content, [spanOf(content, { start: 0, end: size })], size)
    case 'unsatisfiable':
      reply.header('Content-Range', unsatisfiedRange(size))
      throw ociError('RANGE_INVALID', { message: `no byte of ${request.headers.range} lies within the ${size} bytes there are`, detail: { size } })
    case 'single':
      await content.ready(range.start)
      reply.code(206).header('Content-Range', contentRange(range.start, range.end, size))
      return sendBody(reply, content, [spanOf(content, range)], range.end - range.start)
    case 'several':
      return sendParts(reply, content, range.ranges, size)
  }
}

function isRangeWanted (request: FastifyRequest, { digest }: Content): boolean {
  return ifRangeMatches(request.headers['if-range']?.toString(), `"${digest}"`)
}

function spanOf ({ read }: Content, { start, end }: ByteRange): BodySpan {
  return { start, end, read }
}

/** The body goes to the socket past fastify, which would allocate every chunk anew. */
function sendBody (reply: FastifyReply, { onSent, onCut }: Content, parts: readonly BodyPart[], length: number | undefined): FastifyReply {
  if (length !== undefined) reply.header('Content-Length', length)
  reply.hijack()
  reply.raw.writeHead(reply.statusCode, reply.getHeaders() as OutgoingHttpHeaders)
  const response = reply.raw
  writeBody(response, parts, onSent).catch((error: unknown) => { onCut(error) })
  return reply
}

/** RFC 9110, section 14.6, over RFC 2046, section 5.1.1. */
async function sendParts (reply: FastifyReply, content: Content, ranges: readonly ByteRange[], size: number): Promise<FastifyReply> {
  const boundary = `shoal-${randomBytes(12).toString('hex')}`
  const parts = ranges.map((range, index) => ({
    range,
    head: Buffer.from(`${index === 0 ? '' : '\r\n'}--${boundary}\r\nContent-Type: ${content.mediaType}\r\nContent-Range: ${contentRange(range.start, range.end, size)}\r\n\r\n`)
  }))
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const length = parts.reduce((sum, { range, head }) => sum + head.length + range.end - range.start, tail.length)
  // an error can be told only while nothing has been sent
  await content.ready(ranges[0]?.start ?? 0)
  reply.code(206).header('Content-Type', `multipart/byteranges; boundary=${boundary}`)
  return sendBody(reply, content, [...parts.flatMap(({ head, range }) => [head, spanOf(content, range)]), tail], length)
}
