import { isDigest, shortDigest, type Digest } from '../oci/digest.ts'
import { canonicalRegistryHost } from '../oci/registry-host.ts'
import { isRepositoryName, isTag } from '../oci/reference.ts'
import { BlobBody } from './blob-body.ts'
import { openBlob } from './blob-opening.ts'
import type { ConnectorInit } from './connector.ts'
import { parseContentLength, parseContentRange } from './content-range.ts'
import type { CredentialSource } from './credentials.ts'
import { withDeadline } from './deadline.ts'
import { messageOf, originErrorOf } from './failure.ts'
import { fetchManifest, resolveManifest, type ManifestRequest } from './manifest-reading.ts'
import { OriginError } from './origin-error.ts'
import { noLog, type OriginLog } from './origin-log.ts'
import { DEFAULT_TIMEOUTS, type OriginTimeouts } from './origin-timeouts.ts'
import type { BlobOptions, Origin, OriginAccess, OriginBlob, OriginManifest, OriginOptions, Repository, ResolvedManifest } from './origin.ts'
import { RedirectMemory } from './redirect-memory.ts'
import { RegistryAuth } from './registry-auth.ts'
import { RegistryClient, type RegistryRequest } from './registry-client.ts'
import { registryEndpoint, type RegistryConfig } from './registry-config.ts'
import { RegistryHttp } from './registry-http.ts'
import { listTags, readReferrers } from './registry-listing.ts'
import { TokenCache } from './token-cache.ts'
import { Transport } from './transport.ts'

/** Registries that a caller may name without end: the least recently asked of those not configured is forgotten. */
const MAX_REGISTRIES = 200
const DEFAULT_USER_AGENT = 'shoal'

export interface RegistryOriginComponents {
  readonly credentials: CredentialSource
  /** Milliseconds, monotonic. @default performance.now */
  readonly now?: () => number
  /** Wall clock in milliseconds, for Retry-After as a date. @default Date.now */
  readonly wallClock?: () => number
  /** In [0, 1). @default Math.random */
  readonly random?: () => number
  readonly log?: OriginLog
  /** Name lookup. @default that of node:dns */
  readonly lookup?: ConnectorInit['lookup']
}

export interface RegistryOriginInit {
  /**
   * By host, as in a reference. Only these may be at private addresses, speak http or have certificates of their own.
   * @default none: docker.io is asked at registry-1.docker.io, every other host by https
   */
  readonly registries?: Readonly<Record<string, RegistryConfig>>
  /** Those given replace the defaults. */
  readonly timeouts?: Partial<OriginTimeouts>
  /** @default 'shoal' */
  readonly userAgent?: string
  /** The bodies of blobs will be read no faster than this, so less of them is read ahead. @default no limit */
  readonly bytesPerSecond?: number
}

interface Registry {
  readonly transport: Transport
  readonly client: RegistryClient
}

/**
 * Registries over the OCI distribution protocol (spec 1.1) with Docker's token authentication. Owns a client, its
 * connections and its memory per registry, made when the registry is first asked.
 */
export class RegistryOrigin implements Origin {
  readonly #components: Required<Omit<RegistryOriginComponents, 'lookup'>> & Pick<RegistryOriginComponents, 'lookup'>
  readonly #configs: ReadonlyMap<string, RegistryConfig>
  readonly #timeouts: OriginTimeouts
  readonly #userAgent: string
  readonly #bytesPerSecond: number | undefined
  readonly #registries = new Map<string, Registry>()
  #isClosed = false

  constructor ({ credentials, now = () => performance.now(), wallClock = Date.now, random = Math.random, log = noLog, lookup }: RegistryOriginComponents, init: RegistryOriginInit = {}) {
    this.#components = { credentials, now, wallClock, random, log, lookup }
    this.#configs = new Map(Object.entries(init.registries ?? {}).map(([host, config]) => [canonicalRegistryHost(host), config]))
    this.#timeouts = { ...DEFAULT_TIMEOUTS, ...init.timeouts }
    this.#userAgent = init.userAgent ?? DEFAULT_USER_AGENT
    this.#bytesPerSecond = init.bytesPerSecond
  }

  async resolve (repository: Repository, tag: string, options: OriginOptions = {}): Promise<ResolvedManifest> {
    return this.#document(repository, 'manifest', `manifest ${tag}`, options, async (client, signal) => {
      const resolved = await resolveManifest(client, this.#manifestRequest(repository, tag), signal)
      return { digest: resolved.digest, mediaType: resolved.mediaType, size: resolved.size, access: resolved.access }
    })
  }

  async manifest (repository: Repository, reference: string, options: OriginOptions = {}): Promise<OriginManifest> {
    return this.#document(repository, 'manifest', `manifest ${reference}`, options, (client, signal) => fetchManifest(client, this.#manifestRequest(repository, reference), signal))
  }

  async blob (repository: Repository, digest: Digest, start: number, options: BlobOptions = {}): Promise<OriginBlob> {
    const { firstByteMs } = this.#timeouts
    const { random, log } = this.#components
    const { end, failsWhenLimited = false } = options
    if (end !== undefined && end <= start) throw new RangeError(`blob ${shortDigest(digest)}: no byte lies from ${start} to before ${end}`)
    const request = { registry: repository.registry, repository: repository.name, digest, end, firstByteMs, failsWhenLimited }
    return this.#guarded(repository, `blob ${shortDigest(digest)}`, options, async client => {
      const opened = await withDeadline('first byte', firstByteMs, options.signal, signal => openBlob(client, request, start, undefined, signal))
      const body = new BlobBody({ client, random, log }, request, opened, options.signal)
      return { size: opened.size, start: opened.start, end: body.end, isPart: opened.isPart, access: opened.access, body }
    })
  }

  async statBlob (repository: Repository, digest: Digest, options: OriginOptions = {}): Promise<{ size: number, access: OriginAccess }> {
    return this.#document(repository, 'size', `size of blob ${shortDigest(digest)}`, options, async (client, signal) => {
      const common = { repository: repository.name, path: `blobs/${digest}`, firstByteMs: this.#timeouts.headersMs, signal }
      const head = { ...common, method: 'HEAD', limitBytes: 0, keepsRedirect: true } as const
      const headed = await client.request(head)
      const size = parseContentLength(headed.headers.get('content-length'))
      if (headed.status === 200 && size !== undefined) return { size, access: headed.access }
      if (headed.status >= 400 && headed.status !== 405 && headed.status !== 501) throw client.errorOf(head, headed)
      return this.#statByGet(client, repository, { ...common, method: 'GET', headers: { range: 'bytes=0-0' } })
    })
  }

  async tags (repository: Repository, options: OriginOptions = {}): Promise<string[]> {
    return this.#guarded(repository, 'tags', options, client => listTags(client, repository.registry, repository.name, this.#timeouts, options.signal))
  }

  async referrers (repository: Repository, digest: Digest, options: OriginOptions = {}): Promise<Uint8Array> {
    return this.#guarded(repository, `referrers of ${shortDigest(digest)}`, options, client => readReferrers(client, repository.registry, repository.name, digest, this.#timeouts, options.signal))
  }

  /** Ends every connection; what is under way fails. */
  async close (): Promise<void> {
    this.#isClosed = true
    const registries = [...this.#registries.values()]
    this.#registries.clear()
    await Promise.all(registries.map(({ transport }) => transport.close()))
  }

  /** URLs that a registry redirects HEAD to are signed for HEAD, if at all: a GET of one byte tells the total. */
  async #statByGet (client: RegistryClient, { registry, name }: Repository, request: RegistryRequest): Promise<{ size: number, access: OriginAccess }> {
    const answer = await client.request(request)
    answer.body?.cancel(new Error('only its size was wanted'))
    if (answer.status !== 200 && answer.status !== 206) throw client.errorOf(request, answer)
    const size = answer.status === 206 ? parseContentRange(answer.headers.get('content-range'))?.total : parseContentLength(answer.headers.get('content-length'))
    if (size === undefined) throw new OriginError('ORIGIN_INVALID', `${request.path} of ${name}: no size is said`, { registry, status: answer.status })
    return { size, access: answer.access }
  }

  #manifestRequest ({ registry, name }: Repository, reference: string): ManifestRequest {
    if (!isTag(reference) && !isDigest(reference)) throw new OriginError('ORIGIN_NOT_FOUND', `no manifest can have the name ${JSON.stringify(reference.slice(0, 200))}`, { registry })
    return { registry, repository: name, reference, firstByteMs: this.#timeouts.headersMs }
  }

  #document<T> (repository: Repository, phase: string, what: string, options: OriginOptions, work: (client: RegistryClient, signal: AbortSignal) => Promise<T>): Promise<T> {
    return this.#guarded(repository, what, options, client => withDeadline(phase, this.#timeouts.documentMs, options.signal, signal => work(client, signal)))
  }

  /** Every failure but the caller's own signal leaves as an OriginError. */
  async #guarded<T> ({ registry, name }: Repository, what: string, { signal }: OriginOptions, work: (client: RegistryClient) => Promise<T>): Promise<T> {
    signal?.throwIfAborted()
    // What goes into a path has the grammar of one.
    if (!isRepositoryName(name)) throw new OriginError('ORIGIN_NOT_FOUND', `no repository can have the name ${JSON.stringify(name.slice(0, 255))}`, { registry })
    try {
      return await work(this.#registry(registry).client)
    } catch (error) {
      signal?.throwIfAborted()
      throw originErrorOf(error, registry, `${what} of ${name}`)
    }
  }

  #registry (registry: string): Registry {
    if (this.#isClosed) throw new OriginError('ORIGIN_UNAVAILABLE', 'the origin is closed', { registry })
    const known = this.#registries.get(registry)
    if (known !== undefined) {
      this.#registries.delete(registry)
      this.#registries.set(registry, known)
      return known
    }
    const made = this.#make(registry)
    this.#forgetOldest()
    this.#registries.set(registry, made)
    return made
  }

  #make (registry: string): Registry {
    const { credentials, now, wallClock, random, log, lookup } = this.#components
    const timeouts = this.#timeouts
    const userAgent = this.#userAgent
    const endpoint = registryEndpoint(registry, this.#configs.get(registry))
    const { ca, cert, key } = endpoint.config
    const transport = new Transport({ connectMs: timeouts.connectMs, ca, cert, key, lookup, bytesPerSecond: this.#bytesPerSecond })
    const http = new RegistryHttp({ transport, now, wallClock, random, log }, registry, timeouts)
    const auth = new RegistryAuth({ http, credentials, tokens: new TokenCache(now), now, log }, endpoint, { timeouts, userAgent })
    return { transport, client: new RegistryClient({ http, auth, redirects: new RedirectMemory(now) }, endpoint, userAgent) }
  }

  #forgetOldest (): void {
    if (this.#registries.size < MAX_REGISTRIES) return
    for (const [registry, { transport }] of this.#registries) {
      if (this.#configs.has(registry)) continue
      this.#registries.delete(registry)
      transport.retire().catch((error: unknown) => {
        this.#components.log({ type: 'origin:down', registry, reason: messageOf(error), forMs: 0 })
      })
      return
    }
  }
}
