import type { FastifyReply } from 'fastify'

/** Aborted when the client goes away before its answer has been produced; at once when it is gone already. */
export function clientSignal (reply: FastifyReply): AbortSignal {
  const controller = new AbortController()
  const abort = (): void => { controller.abort(new Error('the client went away')) }
  if (reply.raw.destroyed) abort()
  reply.raw.once('close', () => { if (!reply.raw.writableEnded) abort() })
  return controller.signal
}
