import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { ShoalError } from '../../src/errors.ts'
import type { Platform } from '../../src/oci/manifest.ts'
import { ociError } from '../../src/oci/oci-error.ts'
import { parseReference, type Reference } from '../../src/oci/reference.ts'
import type { ImagePullEvent } from '../../src/pull/images.ts'
import { clientSignal } from './client-signal.ts'

const PLATFORM = /^([a-z0-9]+)\/([a-z0-9_]+)(?:\/([a-z0-9.]+))?$/
/** Events of a pull that wait for a slow reader; beyond it progress is left out. */
const MAX_WAITING_EVENTS = 1000

export interface AdminComponents {
  readonly defaultRegistry: string
  /** Why the agent is not ready yet; empty when it is. */
  readonly notReady: () => readonly string[]
  readonly status: () => Promise<object>
  readonly peers: () => Promise<object>
  readonly renderMetrics: () => Promise<{ contentType: string, body: string }>
  readonly pull: (reference: Reference, platform: Platform | undefined, onEvent: (event: ImagePullEvent) => void, signal: AbortSignal) => Promise<void>
}

/** Health, metrics, status and `shoal pull`: what operators and the CLI ask. */
export function adminRoutes (app: FastifyInstance, components: AdminComponents): void {
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', async (_request, reply) => {
    const reasons = components.notReady()
    return reply.code(reasons.length === 0 ? 200 : 503).send({ ready: reasons.length === 0, reasons })
  })
  app.get('/metrics', async (_request, reply) => {
    const { contentType, body } = await components.renderMetrics()
    return reply.header('Content-Type', contentType).send(body)
  })
  app.get('/api/v1/status', async () => components.status())
  app.get('/api/v1/peers', async () => components.peers())
  app.post('/api/v1/pull', async (request, reply) => {
    const { reference, platform } = readPullRequest(request.body, components.defaultRegistry)
    const signal = clientSignal(reply)
    const lines = new Readable({ read () {} })
    let waiting = 0
    const write = (event: object): void => {
      waiting = lines.readableLength === 0 ? 0 : waiting + 1
      if (waiting > MAX_WAITING_EVENTS && 'type' in event && event.type === 'progress') return
      lines.push(`${JSON.stringify(event)}\n`)
    }
    components.pull(reference, platform, write, signal).catch((error: unknown) => {
      const code = error instanceof ShoalError ? error.code : 'UNKNOWN'
      write({ type: 'error', code, message: error instanceof Error ? error.message : String(error) })
    }).finally(() => { lines.push(null) })
    return reply.header('Content-Type', 'application/x-ndjson').send(lines)
  })
}

/** Only JSON gets here: a web page cannot send that to another origin without asking first. */
function readPullRequest (body: unknown, defaultRegistry: string): { reference: Reference, platform: Platform | undefined } {
  if (typeof body !== 'object' || body === null || !('reference' in body) || typeof body.reference !== 'string') {
    throw ociError('NAME_INVALID', { message: 'expected a JSON body {"reference": "NAME[:TAG|@DIGEST]", "platform": "OS/ARCH[/VARIANT]"}' })
  }
  const reference = parseReference(body.reference, { defaultRegistry })
  const text = 'platform' in body ? body.platform : undefined
  if (text === undefined || text === null) return { reference, platform: undefined }
  const [, os, architecture, variant] = typeof text === 'string' ? PLATFORM.exec(text) ?? [] : []
  if (os === undefined || architecture === undefined) throw ociError('NAME_INVALID', { message: `platform ${JSON.stringify(text)}: expected OS/ARCH[/VARIANT], e.g. linux/arm64` })
  return { reference, platform: { os, architecture, ...(variant === undefined ? {} : { variant }) } }
}
