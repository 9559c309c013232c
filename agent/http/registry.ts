import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ociError } from '../../src/oci/oci-error.ts'
import { parseRequestPath, type RegistryRequest } from '../../src/oci/request-path.ts'
import { resolveRepository, type Repository } from '../../src/oci/repository.ts'
import type { OpenBlob } from '../../src/pull/open-blob.ts'
import type { ManifestReference, Puller, Staleness } from '../../src/pull/puller.ts'
import { describeContent, isUnchanged, sendContent } from './content-answer.ts'
import { answerFor, type AskedFor } from './error-answer.ts'
import { clientSignal } from './client-signal.ts'

const BLOB_TYPE = 'application/octet-stream'
const READ_METHODS = 'GET, HEAD'
const WRITE_METHODS = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']
const ROUTE_NAMES = { manifest: 'manifests', blob: 'blobs', tags: 'tags', referrers: 'referrers', uploads: 'uploads' } as const
/** Tags on one page, unless the client asks for fewer. */
const MAX_TAGS = 10_000

export interface RegistryComponents {
  readonly puller: Puller
  /** Told when an answer's bytes have been sent or its client has gone. */
  readonly onServed: (served: { from: 'store' | 'fetch', bytes: number }) => void
  readonly onDefect: (error: unknown) => void
}

export interface RegistryInit {
  readonly defaultRegistry: string
}

type RegistryHandler = (request: FastifyRequest, reply: FastifyReply, asked: RegistryRequest, signal: AbortSignal) => Promise<FastifyReply>

/** The registry endpoint: OCI distribution spec 1.1, pull and content discovery; everything that writes is a 405. */
export function registryRoutes (app: FastifyInstance, components: RegistryComponents, init: RegistryInit): void {
  const { puller, onServed, onDefect } = components

  function repositoryOf (request: FastifyRequest, name: string): Repository {
    const { ns } = request.query as { ns?: string | string[] }
    return resolveRepository(name, Array.isArray(ns) ? ns[0] : ns, { defaultRegistry: init.defaultRegistry })
  }

  const answer: RegistryHandler = async (request, reply, asked, signal) => {
    const isHead = request.method === 'HEAD'
    switch (asked.kind) {
      case 'base':
        return reply.header('Content-Type', 'application/json').send(Buffer.from('{}'))
      case 'manifest': {
        const repository = repositoryOf(request, asked.name)
        echoNamespace(request, reply)
        return isHead ? headManifest(request, reply, repository, asked, signal) : getManifest(request, reply, repository, asked, signal)
      }
      case 'blob': {
        const repository = repositoryOf(request, asked.name)
        if (isHead) {
          const { size } = await puller.blobs.stat(repository, asked.digest, { signal })
          describeContent(reply, { digest: asked.digest, mediaType: BLOB_TYPE, size })
          return reply.send()
        }
        return sendBlob(request, reply, await puller.blobs.open(repository, asked.digest, { signal }), signal)
      }
      case 'tags':
        return listTags(request, reply, repositoryOf(request, asked.name), asked.name, signal)
      case 'referrers': {
        const { artifactType } = request.query as { artifactType?: string | string[] }
        const type = Array.isArray(artifactType) ? artifactType[0] : artifactType
        const index = await puller.referrers(repositoryOf(request, asked.name), asked.digest, type, { signal })
        if (index.filtered) reply.header('OCI-Filters-Applied', 'artifactType')
        return reply.header('Content-Type', index.mediaType).send(Buffer.from(index.bytes))
      }
      case 'uploads':
        throw refuseWrite(reply)
    }
  }

  async function getManifest (request: FastifyRequest, reply: FastifyReply, repository: Repository, reference: ManifestReference, signal: AbortSignal): Promise<FastifyReply> {
    const { digest, mediaType, bytes, stale } = await puller.manifest(repository, reference, { signal })
    warn(reply, stale)
    if (isUnchanged(request, digest)) return notModified(reply, digest)
    onServed({ from: 'store', bytes: bytes.length })
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return sendContent(request, reply, {
      digest,
      mediaType,
      size: bytes.length,
      ready: async () => {},
      stream: ({ start, end }) => Readable.from([buffer.subarray(start, end)], { objectMode: false }),
      streamAll: () => buffer
    })
  }

  async function headManifest (request: FastifyRequest, reply: FastifyReply, repository: Repository, reference: ManifestReference, signal: AbortSignal): Promise<FastifyReply> {
    const { digest, mediaType, size, stale } = await puller.statManifest(repository, reference, { signal })
    warn(reply, stale)
    if (isUnchanged(request, digest)) return notModified(reply, digest)
    describeContent(reply, { digest, mediaType, size })
    return reply.send()
  }

  async function sendBlob (request: FastifyRequest, reply: FastifyReply, blob: OpenBlob, signal: AbortSignal): Promise<FastifyReply> {
    const sentBefore = request.socket.bytesWritten
    reply.raw.once('close', () => {
      onServed({ from: blob.from, bytes: request.socket.bytesWritten - sentBefore })
      blob.close().catch(onDefect)
    })
    if (isUnchanged(request, blob.digest)) return notModified(reply, blob.digest)
    return sendContent(request, reply, {
      digest: blob.digest,
      mediaType: BLOB_TYPE,
      size: blob.size,
      ready: async position => { await blob.ready(position, { signal }) },
      stream: span => blob.stream(span),
      streamAll: () => blob.stream()
    })
  }

  async function listTags (request: FastifyRequest, reply: FastifyReply, repository: Repository, name: string, signal: AbortSignal): Promise<FastifyReply> {
    const { n, last } = request.query as { n?: string, last?: string }
    const limit = n === undefined ? MAX_TAGS : Number(n)
    if (!Number.isSafeInteger(limit) || limit < 0) throw ociError('UNSUPPORTED', { status: 400, message: `n is ${JSON.stringify(n)}: expected a number of tags, 0 or more` })
    const { tags, stale } = await puller.tags(repository, { signal })
    warn(reply, stale)
    const later = last === undefined ? tags : tags.filter(tag => tag > last)
    const page = later.slice(0, Math.min(limit, MAX_TAGS))
    const lastOfPage = page.at(-1)
    if (lastOfPage !== undefined && page.length < later.length) {
      const query = new URLSearchParams({ n: String(page.length), last: lastOfPage })
      const { ns } = request.query as { ns?: string }
      if (ns !== undefined) query.set('ns', ns)
      reply.header('Link', `</v2/${name}/tags/list?${query.toString()}>; rel="next"`)
    }
    return reply.header('Content-Type', 'application/json').send(Buffer.from(JSON.stringify({ name, tags: page })))
  }

  async function handle (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    reply.header('Docker-Distribution-API-Version', 'registry/2.0')
    let askedFor: AskedFor = 'name'
    try {
      if (WRITE_METHODS.includes(request.method)) throw refuseWrite(reply)
      const asked = parseRequestPath(request.raw.url?.split('?', 1)[0] ?? '')
      reply.routeName = asked.kind === 'base' ? '/v2/' : `/v2/<name>/${ROUTE_NAMES[asked.kind]}`
      if (asked.kind === 'manifest' || asked.kind === 'blob') askedFor = asked.kind
      return await answer(request, reply, asked, clientSignal(reply))
    } catch (error) {
      if (reply.sent || reply.raw.destroyed) return reply
      return sendError(request, reply, error, askedFor, onDefect)
    }
  }

  app.route({ method: ['GET', 'HEAD', ...WRITE_METHODS], url: '/v2', handler: handle })
  app.route({ method: ['GET', 'HEAD', ...WRITE_METHODS], url: '/v2/*', handler: handle })
}

/** Answers with the error's OCI body; without a body to HEAD. */
export function sendError (request: FastifyRequest, reply: FastifyReply, error: unknown, askedFor: AskedFor, onDefect: (error: unknown) => void): FastifyReply {
  const answer = answerFor(error, askedFor)
  if (answer.code === 'UNKNOWN') onDefect(error)
  const body = Buffer.from(answer.body())
  for (const header of ['ETag', 'Docker-Content-Digest', 'Accept-Ranges']) reply.removeHeader(header)
  reply.code(answer.status).header('Content-Type', 'application/json').header('Content-Length', body.length)
  return request.method === 'HEAD' ? reply.send() : reply.send(body)
}

/** The rest of an upload is not worth reading: the connection ends with the answer. */
function refuseWrite (reply: FastifyReply): Error {
  reply.header('Allow', READ_METHODS).header('Connection', 'close')
  return ociError('UNSUPPORTED', { message: 'this registry is read-only; push to the origin' })
}

function notModified (reply: FastifyReply, digest: string): FastifyReply {
  return reply.code(304).header('ETag', `"${digest}"`).header('Docker-Content-Digest', digest).send()
}

/** containerd tells the registry it means by `ns`, and wants to hear that it was understood. */
function echoNamespace (request: FastifyRequest, reply: FastifyReply): void {
  const { ns } = request.query as { ns?: string | string[] }
  if (typeof ns === 'string' && ns !== '') reply.header('OCI-Namespace', ns)
}

/** RFC 7234, section 5.5: miscellaneous persistent warning. */
function warn (reply: FastifyReply, stale: Staleness | undefined): void {
  if (stale === undefined) return
  const since = stale.sinceMs === undefined ? '' : `, resolved ${new Date(stale.sinceMs).toISOString()}`

  const reason = stale.reason.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\'')
  reply.header('Warning', `299 shoal "stale${since}: ${reason}"`)
}
