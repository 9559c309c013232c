import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { ociError } from '../../src/oci/oci-error.ts'
import { isAllowedHost } from './host-check.ts'
import { registryRoutes, sendError, type RegistryComponents, type RegistryInit } from './registry.ts'
import { adminRoutes, type AdminComponents } from './admin.ts'

declare module 'fastify' {
  interface FastifyReply {
    /** The kind of path that was asked, for metrics; never the path itself. */
    routeName: string
  }
}

/** Engines keep idle connections for a minute and more, in milliseconds. */
const KEEP_ALIVE_TIMEOUT_MS = 90_000
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
  const app = Fastify({
    exposeHeadRoutes: false,
    bodyLimit: MAX_BODY_BYTES,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    forceCloseConnections: 'idle',
    http: { maxHeaderSize: MAX_HEADER_BYTES, highWaterMark: RESPONSE_BUFFER_BYTES },
    frameworkErrors: (error, request, reply) => { refuse(error, request, reply) }
  })

  function refuse (error: Error, request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const { statusCode } = error as Partial<FastifyError>
    const isClientsFault = statusCode !== undefined && statusCode < 500
    const answer = isClientsFault ? ociError('UNSUPPORTED', { status: statusCode, message: error.message, cause: error }) : error
    return sendError(request, reply.header('Docker-Distribution-API-Version', 'registry/2.0'), answer, 'name', components.onDefect)
  }

  app.decorateReply('routeName', '')
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'string' }, app.getDefaultJsonParser('error', 'error'))
  // what is pushed here is refused unread
  app.addContentTypeParser('*', (_request, _payload, done) => { done(null) })
  app.setErrorHandler((error: Error, request, reply) => { refuse(error, request, reply) })
  app.setNotFoundHandler((request, reply) => {
    refuse(ociError('UNSUPPORTED', { status: 404, message: `${request.method} ${request.url.split('?', 1)[0]} is no endpoint of this agent` }), request, reply)
  })
  app.addHook('onRequest', async (request, reply) => {
    if (isAllowedHost(request.headers.host, init.allowedHosts)) return
    const message = `Host ${JSON.stringify(request.headers.host)} is not a name of this agent; allow it with --allow-host`
    return sendError(request, reply, ociError('DENIED', { message }), 'name', components.onDefect)
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = reply.routeName !== '' ? reply.routeName : request.routeOptions.url ?? 'none'
    components.observeRequest(route, request.method, reply.statusCode, reply.elapsedTime / 1000)
  })
  registryRoutes(app, components, init)
  adminRoutes(app, components)
  return app
}
