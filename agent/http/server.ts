import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { OciError, ociError } from '../../src/oci/oci-error.ts'
import { parseRequestPath } from '../../src/oci/request-path.ts'
import { adminRoutes, type AdminComponents } from './admin.ts'
import { answerClientError } from './client-error.ts'
import { sendError, type AskedFor } from './error-answer.ts'
import { isAllowedHost } from './host-check.ts'
import { isWrite } from './refused-write.ts'
import { registryRoutes, type RegistryComponents, type RegistryInit } from './registry.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The kind of path that was asked, for metrics; never the path itself. */
    routeName: string
    /** Set for requests of the registry endpoint: what a miss is called. */
    askedFor: AskedFor | undefined
  }
}

/** Engines keep idle connections for a minute and more, in milliseconds. */
const KEEP_ALIVE_TIMEOUT_MS = 90_000
/** For a whole request with its body, in milliseconds; how long its answer takes is another matter. */
const REQUEST_TIMEOUT_MS = 60_000
/** Bearer tokens of clients make long headers. */
const MAX_HEADER_BYTES = 64 * 1024
const MAX_BODY_BYTES = 64 * 1024
/** Bytes a response buffers before it waits for its socket. */
const RESPONSE_BUFFER_BYTES = 512 * 1024

export interface HttpComponents extends RegistryComponents, AdminComponents {
  readonly observeRequest: (route: string, method: string, status: number, seconds: number) => void
}

export interface HttpInit extends RegistryInit {
  /** Names, besides IP addresses and localhost, that a Host header may have. */
  readonly allowedHosts: ReadonlySet<string>
}

/** The agent's HTTP server: registry endpoint and admin API; not yet listening. */
export function createHttpServer (components: HttpComponents, init: HttpInit): FastifyInstance {
  const allowedNames = new Set([...init.allowedHosts].map(name => name.toLowerCase()))
  const app = Fastify({
    exposeHeadRoutes: false,
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    // Docker takes a 5xx for a reason to wait; whoever still asks while we stop is served
    return503OnClosing: false,
    http: { maxHeaderSize: MAX_HEADER_BYTES, highWaterMark: RESPONSE_BUFFER_BYTES },
    clientErrorHandler: answerClientError,
    frameworkErrors: (error, request, reply) => { refuseBeforeRouting(error, request, reply) }
  })
  app.decorateReply('routeName', '')
  app.decorateReply('askedFor', undefined)
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
  app.setErrorHandler((error: Error, request, reply) => { refuse(error, request, reply) })
  app.setNotFoundHandler((request, reply) => { refuse(noEndpoint(request), request, reply) })
  app.addHook('onRequest', async (request, reply) => checkRequest(request, reply))
  app.addHook('onResponse', async (request, reply) => {
    const route = reply.routeName !== '' ? reply.routeName : request.routeOptions.url ?? 'none'
    components.observeRequest(route, request.method, reply.statusCode, reply.elapsedTime / 1000)
  })
  closeAsAnswersEnd(app)
  app.server.on('checkContinue', (request, response) => {
    // nobody needs to send what is refused in any case
    if (!isRegistryPath(request.url) || !isWrite(request.method)) response.writeContinue()
    app.server.emit('request', request, response)
  })
  registryRoutes(app, components, init)
  adminRoutes(app, components)
  return app

  function checkRequest (request: FastifyRequest, reply: FastifyReply): FastifyReply | undefined {
    reply.header('Docker-Distribution-API-Version', 'registry/2.0')
    if (isAllowedHost(request.headers.host, allowedNames)) return undefined
    const message = `Host ${JSON.stringify(request.headers.host)} is not a name of this agent; allow it with --allow-hosts`
    return sendError(request, reply, ociError('DENIED', { message }), components.onDefect)
  }

  function refuse (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { statusCode } = error as Partial<FastifyError>
    const isClientsFault = !(error instanceof OciError) && statusCode !== undefined && statusCode < 500
    const answer = isClientsFault ? ociError('UNSUPPORTED', { status: statusCode, message: error.message, cause: error }) : error
    return sendError(request, reply, answer, components.onDefect)
  }

  /** Paths that cannot be decoded reach no route and no hook. */
  function refuseBeforeRouting (error: Error, request: FastifyRequest, reply: FastifyReply): void {
    if (checkRequest(request, reply) !== undefined) return
    try {
      if (isRegistryPath(request.raw.url)) parseRequestPath(request.raw.url?.split('?', 1)[0] ?? '')
      refuse(error, request, reply)
    } catch (reason) {
      refuse(reason as Error, request, reply)
    }
  }
}

/** Connections that are busy when the server closes are kept alive after their answer, and it would wait for them. */
function closeAsAnswersEnd (app: FastifyInstance): void {
  let isClosing = false
  app.addHook('preClose', async () => { isClosing = true })
  app.addHook('onResponse', async () => {
    if (isClosing) setImmediate(() => { app.server.closeIdleConnections() })
  })
}

function isRegistryPath (url: string | undefined): boolean {
  return url !== undefined && /^\/v2(?:[/?]|$)/.test(url)
}

function noEndpoint ({ method, url }: FastifyRequest): OciError {
  return ociError('UNSUPPORTED', { status: 404, message: `${method} ${url.split('?', 1)[0]} is no endpoint of this agent` })
}
