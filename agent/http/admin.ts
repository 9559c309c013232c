import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ShoalError } from '../../src/errors.ts'
import type { Platform } from '../../src/oci/manifest.ts'
import { ociError } from '../../src/oci/oci-error.ts'
import type { Reference } from '../../src/oci/reference.ts'
import type { ImagePullEvent } from '../../src/pull/images.ts'
import type { PeerAnswer, StatusAnswer } from '../api-types.ts'
import { clientSignal } from './client-signal.ts'
import { sendError } from './error-answer.ts'
import { EventLines } from './event-lines.ts'
import { readPullRequest } from './pull-request.ts'

/** What browsers say of requests that a page of this agent made, or nobody but the user. */
const OWN_SITES = new Set(['same-origin', 'none'])

export interface AdminComponents {
  readonly defaultRegistry: string
  /** Why the agent is not ready yet; empty when it is. */
  readonly notReady: () => readonly string[]
  readonly status: () => Promise<StatusAnswer>
  readonly peers: () => Promise<PeerAnswer[]>
  readonly renderMetrics: () => Promise<{ contentType: string, body: string }>
  /** `platform` undefined: all of them. */
  readonly pull: (reference: Reference, platform: Platform | undefined, onEvent: (event: ImagePullEvent) => void, signal: AbortSignal) => Promise<void>
  readonly onDefect: (error: unknown) => void
}

/** Health, metrics, status and `shoal pull`: what operators and the CLI ask. */
export function adminRoutes (app: FastifyInstance, components: AdminComponents): void {
  const { onDefect } = components
  app.route({ method: ['GET', 'HEAD'], url: '/healthz', handler: async (_request, reply) => reply.type('text/plain').send('ok\n') })
  app.route({
    method: ['GET', 'HEAD'],
    url: '/readyz',
    handler: async (_request, reply) => {
      const reasons = components.notReady()
      return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons })
    }
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await components.renderMetrics()
    return reply.header('Content-Type', contentType).send(body)
  })
  app.get('/api/v1/status', async () => components.status())
  app.get('/api/v1/peers', async () => components.peers())

  app.post('/api/v1/pull', { onRequest: refuseOtherSites }, async (request, reply) => {
    const { reference, platform } = readPullRequest(request.body, components)
    const signal = clientSignal(reply)
    const lines = new EventLines()
    components.pull(reference, platform, event => { lines.add(event) }, signal).catch((error: unknown) => {
      if (!signal.aborted) lines.add(errorEvent(error))
    }).finally(() => { lines.finish() })
    return reply.header('Content-Type', 'application/x-ndjson').send(lines)
  })

  function errorEvent (error: unknown): { type: 'error', code: string, message: string } {
    if (error instanceof ShoalError) return { type: 'error', code: error.code, message: error.message }
    onDefect(error)
    return { type: 'error', code: 'UNKNOWN', message: 'the agent failed; its log says why' }
  }

  /** Beside the body's type, which no page may send elsewhere without asking first: nobody answers that question here. */
  async function refuseOtherSites (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const site = request.headers['sec-fetch-site']
    if (site === undefined || OWN_SITES.has(site.toString())) return undefined
    return sendError(request, reply, ociError('DENIED', { message: 'a page of another site may not make this agent pull' }), onDefect)
  }
}
