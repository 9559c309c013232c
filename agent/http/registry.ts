import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ShoalError } from '../../src/errors.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { ociError } from '../../src/oci/oci-error.ts'
import { parseRequestPath, type RegistryRequest } from '../../src/oci/request-path.ts'
import { resolveRepository, type Repository } from '../../src/oci/repository.ts'
import type { ManifestReference, Puller } from '../../src/pull/puller.ts'
import { clientSignal } from './client-signal.ts'
import { describeContent, isUnchanged, sendContent, sendNotModified } from './content-answer.ts'
import { sendError } from './error-answer.ts'
import { isWrite, refuseWrite, WRITE_METHODS } from './refused-write.ts'
import { warnIfStale } from './stale-warning.ts'
import { pageOfTags } from './tag-page.ts'

const BLOB_TYPE = 'application/octet-stream'
const ROUTE_NAMES = { manifest: 'manifests', blob: 'blobs', tags: 'tags', referrers: 'referrers', uploads: 'uploads' } as const

export interface RegistryComponents {
  readonly puller: Puller
  /** Told when an answer's bytes have been sent or its client has gone. */
  readonly onServed: (served: { from: 'store' | 'fetch', bytes: number }) => void
  readonly onDefect: (error: unknown) => void
}

export interface RegistryInit {
  readonly defaultRegistry: string
}

interface Call {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly isHead: boolean
  /** Fires when the client goes away. */
  readonly signal: AbortSignal
}

/** The registry endpoint: OCI distribution spec 1.1, pull and content discovery; everything that writes is a 405. */
export function registryRoutes (app: FastifyInstance, { puller, onServed, onDefect }: RegistryComponents, init: RegistryInit): void {
  async function answer (asked: RegistryRequest, call: Call): Promise<FastifyReply> {
    const { request, reply } = call
    if (asked.kind === 'base') return reply.header('Content-Type', 'application/json').send(Buffer.from('{}'))
    const repository = repositoryOf(asked.name, call)
    switch (asked.kind) {
      case 'manifest': return call.isHead ? headManifest(repository, asked, call) : getManifest(repository, asked, call)
      case 'blob': return call.isHead || isUnchanged(request, asked.digest) ? headBlob(repository, asked.digest, call) : getBlob(repository, asked.digest, call)
      case 'tags': return listTags(repository, asked.name, call)
      case 'referrers': return listReferrers(repository, asked.digest, call)
      case 'uploads': throw ociError('BLOB_UPLOAD_UNKNOWN', { message: 'this registry is read-only: it has no uploads' })
    }
  }

  /** containerd tells the registry it means by `ns`, and wants to hear that it was understood. */
  function repositoryOf (name: string, { request, reply }: Call): Repository {
    const ns = queryText(request, 'ns')
    const repository = resolveRepository(name, ns, { defaultRegistry: init.defaultRegistry })
    if (ns !== undefined) reply.header('OCI-Namespace', ns)
    return repository
  }

  async function getManifest (repository: Repository, reference: ManifestReference, { request, reply, signal }: Call): Promise<FastifyReply> {
    const { digest, mediaType, bytes, stale, from } = await puller.manifest(repository, reference, { signal })
    warnIfStale(reply, stale)
    if (isUnchanged(request, digest)) return sendNotModified(reply, digest)
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    return sendContent(request, reply, {
      digest,
      mediaType,
      size: bytes.length,
      ready: async () => {},
      read: async (target, position) => buffer.copy(target, 0, position),
      onSent: bytes => { onServed({ from: from === 'store' ? 'store' : 'fetch', bytes }) },
      onCut: onDefect
    })
  }

  async function headManifest (repository: Repository, reference: ManifestReference, { request, reply, signal }: Call): Promise<FastifyReply> {
    const { digest, mediaType, size, stale } = await puller.statManifest(repository, reference, { signal })
    warnIfStale(reply, stale)
    if (isUnchanged(request, digest)) return sendNotModified(reply, digest)
    describeContent(reply, { digest, mediaType, size })
    return reply.send()
  }

  /** Also for a client that has the blob already: neither needs a byte of it. */
  async function headBlob (repository: Repository, digest: Digest, { request, reply, signal }: Call): Promise<FastifyReply> {
    const { size } = await puller.blobs.stat(repository, digest, { signal })
    if (isUnchanged(request, digest)) return sendNotModified(reply, digest)
    describeContent(reply, { digest, mediaType: BLOB_TYPE, size })
    return reply.send()
  }

  async function getBlob (repository: Repository, digest: Digest, { request, reply, signal }: Call): Promise<FastifyReply> {
    const blob = await puller.blobs.open(repository, digest, { signal })
    const close = (): void => { blob.close().catch(onDefect) }
    // the client may have gone while the blob was opened, and then no event follows
    if (reply.raw.destroyed) {
      close()
      return reply
    }
    reply.raw.once('close', close)
    return sendContent(request, reply, {
      digest,
      mediaType: BLOB_TYPE,
      size: blob.size,
      ready: async position => { await blob.ready(position, { signal }) },
      read: (buffer, position) => blob.read(buffer, position, { signal }),
      onSent: bytes => { onServed({ from: blob.from, bytes }) },
      // a source that failed has been told as an event of the fetch
      onCut: error => { if (!(error instanceof ShoalError)) onDefect(error) }
    })
  }

  async function listTags (repository: Repository, name: string, { request, reply, signal }: Call): Promise<FastifyReply> {
    const { tags, stale } = await puller.tags(repository, { signal })
    warnIfStale(reply, stale)
    const page = pageOfTags(tags, { n: queryText(request, 'n'), last: queryText(request, 'last') })
    if (page.next !== undefined) {
      const ns = queryText(request, 'ns')
      const query = new URLSearchParams({ ...page.next, ...(ns === undefined ? {} : { ns }) })
      reply.header('Link', `</v2/${name}/tags/list?${query.toString()}>; rel="next"`)
    }
    return reply.header('Content-Type', 'application/json').send(Buffer.from(JSON.stringify({ name, tags: page.tags })))
  }

  async function listReferrers (repository: Repository, digest: Digest, { request, reply, signal }: Call): Promise<FastifyReply> {
    const index = await puller.referrers(repository, digest, queryText(request, 'artifactType'), { signal })
    if (index.isStale) warnIfStale(reply, { reason: 'the origin cannot be asked; these are the referrers known here' })
    if (index.filtered) reply.header('OCI-Filters-Applied', 'artifactType')
    return reply.header('Content-Type', index.mediaType).send(Buffer.from(index.bytes))
  }

  async function handle (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    reply.askedFor = 'name'
    const signal = clientSignal(reply)
    try {
      const asked = parseRequestPath(pathOf(request))
      reply.routeName = asked.kind === 'base' ? '/v2/' : `/v2/<name>/${ROUTE_NAMES[asked.kind]}`
      if (asked.kind === 'manifest' || asked.kind === 'blob') reply.askedFor = asked.kind
      return await answer(asked, { request, reply, isHead: request.method === 'HEAD', signal })
    } catch (error) {
      // nobody is left to be told
      if (reply.raw.destroyed || signal.aborted) return reply
      return sendError(request, reply, error, onDefect)
    }
  }

  const onRequest = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> =>
    isWrite(request.method) ? refuseWrite(request, reply, onDefect) : undefined
  for (const url of ['/v2', '/v2/*']) app.route({ method: ['GET', 'HEAD', ...WRITE_METHODS], url, onRequest, handler: handle })
}

/** The path as it came: not percent-decoded, without the query. */
function pathOf (request: FastifyRequest): string {
  return request.raw.url?.split('?', 1)[0] ?? ''
}

/** The first of several, and undefined for an empty one. */
function queryText (request: FastifyRequest, name: string): string | undefined {
  const value = (request.query as Record<string, string | string[] | undefined>)[name]
  const text = Array.isArray(value) ? value[0] : value
  return text === '' ? undefined : text
}
