import type { FastifyReply, FastifyRequest } from 'fastify'
import { ShoalError } from '../../src/errors.ts'
import { OciError, ociError } from '../../src/oci/oci-error.ts'

/** What was asked for, which names the right code for "not to be had". */
export type AskedFor = 'manifest' | 'blob' | 'name'

const UNKNOWN_CODE = { manifest: 'MANIFEST_UNKNOWN', blob: 'BLOB_UNKNOWN', name: 'NAME_UNKNOWN' } as const
/** They speak of the content that is not sent after all. */
const CONTENT_HEADERS = ['ETag', 'Docker-Content-Digest', 'Accept-Ranges']

/**
 * The answer for an error. Whatever keeps content from a client is a 404: engines go on to their next source at once,
 * while a 5xx makes Docker wait for more than a minute and podman fail. Only a defect of ours is a 500.
 * @param askedFor undefined: nothing of a registry
 */
function answerFor (error: unknown, askedFor: AskedFor | undefined): OciError {
  if (error instanceof OciError) return error
  if (!(error instanceof ShoalError) || askedFor === undefined) return ociError('UNKNOWN', { message: 'the agent failed; its log says why', cause: error })
  if (error.code === 'DIGEST_INVALID') return ociError('DIGEST_INVALID', { message: error.message, cause: error })
  return ociError(UNKNOWN_CODE[askedFor], { message: error.message, detail: { reason: error.code }, cause: error })
}

/** Answers with the error's OCI body; without a body to HEAD. A defect is told to `onDefect`. */
export function sendError (request: FastifyRequest, reply: FastifyReply, error: unknown, onDefect: (error: unknown) => void): FastifyReply {
  const body = startErrorAnswer(reply, error, onDefect)
  return request.method === 'HEAD' ? reply.send() : reply.send(body)
}

/** Status, headers and body of an error's answer, before it is sent. */
export function startErrorAnswer (reply: FastifyReply, error: unknown, onDefect: (error: unknown) => void): Buffer {
  const answer = answerFor(error, reply.askedFor)
  if (answer.code === 'UNKNOWN') onDefect(error)
  const body = Buffer.from(answer.body())
  for (const header of CONTENT_HEADERS) reply.removeHeader(header)
  reply.code(answer.status).header('Content-Type', 'application/json').header('Content-Length', body.length)
  return body
}
