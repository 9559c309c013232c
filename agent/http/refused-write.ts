import { Readable } from 'node:stream'
import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ociError } from '../../src/oci/oci-error.ts'
import { startErrorAnswer } from './error-answer.ts'

/** Methods of the distribution specification that change something; and OPTIONS, whose answer is that they may not. */
export const WRITE_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const READ_METHODS = 'GET, HEAD'
/** The rest of a refused body is read this far and this long, in milliseconds, before its connection is closed. */
const LINGER_BYTES = 1024 * 1024
const LINGER_MS = 1000

export function isWrite (method: string | undefined): boolean {
  return WRITE_METHODS.includes(method ?? '')
}

/** 405 to whatever writes, before its body is read. */
export function refuseWrite (request: FastifyRequest, reply: FastifyReply, onDefect: (error: unknown) => void): FastifyReply {
  reply.header('Allow', READ_METHODS)
  const body = startErrorAnswer(reply, ociError('UNSUPPORTED', { message: 'this registry is read-only; push to the origin' }), onDefect)
  if (!hasBody(request.raw)) return reply.send(body)
  reply.header('Connection', 'close')
  return reply.send(Readable.from(lingering(body, request.raw), { objectMode: false }))
}

function hasBody ({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0'
}

/**
 * The answer, and a while in which the client may read it: closing a connection with unread bytes in it resets it, and
 * the client may lose the answer it has not read yet (RFC 9112, section 9.6).
 */
async function * lingering (body: Buffer, request: IncomingMessage): AsyncGenerator<Buffer> {
  yield body
  await new Promise<void>(resolve => {
    const timer = setTimeout(resolve, LINGER_MS)
    let read = 0
    const end = (): void => {
      clearTimeout(timer)
      resolve()
    }
    request.once('end', end).once('close', end).on('data', (chunk: Uint8Array) => {
      read += chunk.length
      if (read > LINGER_BYTES) end()
    })
  })
  request.pause()
}
