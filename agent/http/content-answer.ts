import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { contentRange, etagMatches, ifRangeMatches, parseByteRange, unsatisfiedRange, type ByteRange } from '../../src/oci/byte-range.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { ociError } from '../../src/oci/oci-error.ts'

/** Content that is named by its digest, ready to be sent in whole or in parts. */
export interface Content {
  readonly digest: Digest
  readonly mediaType: string
  /** Undefined: no length is known, and it is sent in whole. */
  readonly size: number | undefined
  /** Waits until the byte at this position can be sent. */
  ready (position: number): Promise<void>
  stream (span: ByteRange): Readable
  streamAll (): Readable | Buffer
}

/** Headers that say what the content is; the same for GET and HEAD. */
export function describeContent (reply: FastifyReply, { digest, mediaType, size }: Pick<Content, 'digest' | 'mediaType' | 'size'>): void {
  reply.header('Content-Type', mediaType)
  reply.header('Docker-Content-Digest', digest)
  reply.header('ETag', `"${digest}"`)
  reply.header('Accept-Ranges', 'bytes')
  if (size !== undefined) reply.header('Content-Length', size)
}

/** Whether the client has it already; then the answer is 304. */
export function isUnchanged (request: FastifyRequest, digest: Digest): boolean {
  const header = request.headers['if-none-match']
  return header !== undefined && etagMatches(header, `"${digest}"`)
}

/**
 * Sends content as the request's Range asks: 200, 206 with one range or `multipart/byteranges`.
 * RFC 9110, sections 13 to 15.
 * @throws OciError RANGE_INVALID (416, with `Content-Range` naming the size)
 */
export async function sendContent (request: FastifyRequest, reply: FastifyReply, content: Content): Promise<FastifyReply> {
  describeContent(reply, content)
  const { digest, size } = content
  const ifRange = request.headers['if-range']?.toString()
  const mayBePart = size !== undefined && (ifRange === undefined || ifRangeMatches(ifRange, `"${digest}"`))
  const range = mayBePart ? parseByteRange(request.headers.range, size) : { type: 'whole' as const }
  switch (range.type) {
    case 'whole':
      return reply.send(content.streamAll())
    case 'unsatisfiable':
      reply.removeHeader('Content-Length').header('Content-Range', unsatisfiedRange(size ?? 0))
      throw ociError('RANGE_INVALID', { message: `no byte of ${request.headers.range} lies within the ${size} bytes there are`, detail: { size } })
    case 'single':
      await content.ready(range.start)
      reply.code(206).header('Content-Range', contentRange(range.start, range.end, size ?? 0)).header('Content-Length', range.end - range.start)
      return reply.send(content.stream(range))
    case 'several':
      return sendParts(reply, content, range.ranges, size ?? 0)
  }
}

function sendParts (reply: FastifyReply, content: Content, ranges: readonly ByteRange[], size: number): FastifyReply {
  const boundary = `shoal-${randomBytes(12).toString('hex')}`
  const parts = ranges.map(range => ({
    range,
    head: Buffer.from(`\r\n--${boundary}\r\nContent-Type: ${content.mediaType}\r\nContent-Range: ${contentRange(range.start, range.end, size)}\r\n\r\n`)
  }))
  const tail = Buffer.from(`\r\n--${boundary}--\r\n`)
  const length = parts.reduce((sum, { range, head }) => sum + head.length + range.end - range.start, tail.length)
  reply.code(206).header('Content-Type', `multipart/byteranges; boundary=${boundary}`).header('Content-Length', length)
  async function * body (): AsyncGenerator<Uint8Array> {
    for (const { range, head } of parts) {
      yield head
      yield * content.stream(range) as AsyncIterable<Uint8Array>
    }
    yield tail
  }
  return reply.send(Readable.from(body(), { objectMode: false }))
}
