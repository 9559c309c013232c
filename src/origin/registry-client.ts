import { excuseOf } from './excuse.ts'
import { OriginError } from './origin-error.ts'
import type { OriginAccess } from './origin.ts'
import { redactUrl } from './redact-url.ts'
import type { RedirectMemory, RedirectTarget } from './redirect-memory.ts'
import type { Grant, RegistryAuth } from './registry-auth.ts'
import type { RegistryEndpoint } from './registry-config.ts'
import type { Answer, RegistryHttp } from './registry-http.ts'

const MAX_REDIRECTS = 5
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308])

export interface RegistryRequest {
  readonly method: 'GET' | 'HEAD'
  /** Repository as in a reference. */
  readonly repository: string
  /** Behind the repository's name: `manifests/latest`. */
  readonly path: string
  /** With its `?`, as a registry gave it for the next page. */
  readonly query?: string
  readonly accept?: string
  /** Range and If-Range. */
  readonly headers?: Readonly<Record<string, string>>
  readonly firstByteMs: number
  /** Most bytes of a successful body, then in `bytes`; undefined for a body to be streamed. */
  readonly limitBytes?: number
  /** Hand a redirect back instead of following it. */
  readonly keepsRedirect?: boolean
  /**
   * What becomes of where the registry sent us for this path before: `reuse` asks there first, and here only when that
   * brings nothing; `renew` forgets it. @default neither asked for nor remembered
   */
  readonly redirect?: 'reuse' | 'renew'
  /** A 429 that credentials do not help against is an error at once. @default a short one is waited out */
  readonly failsWhenLimited?: boolean
  readonly signal: AbortSignal
}

export interface RegistryAnswer extends Answer {
  readonly access: OriginAccess
  /** The answer came from where the registry sent us to. */
  readonly isRedirected: boolean
}

export interface RegistryClientComponents {
  readonly http: RegistryHttp
  readonly auth: RegistryAuth
  readonly redirects: RedirectMemory
}

/**
 * Requests to one registry: authorised step by step, redirects followed by hand. Every status but those that ask for
 * other credentials is an answer; what it means is the caller's to say.
 */
export class RegistryClient {
  readonly #http: RegistryHttp
  readonly #auth: RegistryAuth
  readonly #redirects: RedirectMemory
  readonly #endpoint: RegistryEndpoint
  readonly #userAgent: string

  constructor ({ http, auth, redirects }: RegistryClientComponents, endpoint: RegistryEndpoint, userAgent: string) {
    this.#http = http
    this.#auth = auth
    this.#redirects = redirects
    this.#endpoint = endpoint
    this.#userAgent = userAgent
  }

  /** @throws OriginError, or the signal's reason */
  async request (request: RegistryRequest): Promise<RegistryAnswer> {
    const name = this.#fullName(request.repository)
    let grant = await this.#auth.begin(name, request.signal)
    const remembered = await this.#askRemembered(request, grant)
    if (remembered !== undefined) return remembered
    let hasResolvedAgain = false
    let isLimited = false
    for (;;) {
      const { answer, isRedirected } = await this.#follow(request, grant, this.#startOf(request), !isLimited && this.#auth.mayEscalate(name, grant))
      if (isRedirected && answer.status === 403 && !hasResolvedAgain) {
        // A signed URL that has expired on the way: the registry makes another.
        hasResolvedAgain = true
        continue
      }
      const isRefused = !isRedirected && [401, 403, 404, 429].includes(answer.status)
      const next = isRefused ? await this.#auth.next(name, grant, answer, request.signal) : undefined
      if (next === undefined && answer.status === 429 && !isRedirected && !isLimited) {
        // Without credentials there is no other way than to wait, here or at the caller's.
        isLimited = true
        continue
      }
      if (next === undefined) {
        if (answer.status < 400) this.#auth.remember(name, grant)
        return { ...answer, isRedirected, access: this.#access(grant) }
      }
      grant = next
    }
  }

  /** An answer that is no success, as the error that the contract names. */
  errorOf ({ method, path, repository }: RegistryRequest, { status, bytes, url, isRedirected }: RegistryAnswer): OriginError {
    const where = isRedirected ? ` from ${redactUrl(url)}` : ''
    const code = status === 404 ? 'ORIGIN_NOT_FOUND' : status === 401 || status === 403 ? 'ORIGIN_DENIED' : status === 429 ? 'ORIGIN_RATE_LIMITED' : 'ORIGIN_INVALID'
    return new OriginError(code, `${method} ${repository} ${path}: status ${status}${where}${excuseOf(bytes)}`, { registry: this.#endpoint.registry, status })
  }

  /** Where a path of a repository is asked for. */
  urlOf (repository: string, path: string, query = ''): URL {
    return new URL(`/v2/${this.#fullName(repository)}/${path}${query}`, this.#endpoint.url)
  }

  /** Any failure there is a reason to ask the registry. */
  async #askRemembered (request: RegistryRequest, grant: Grant): Promise<RegistryAnswer | undefined> {
    const key = this.#redirectKey(request, grant)
    const target = this.#redirects.get(key)
    if (target === undefined || request.redirect === undefined) return undefined
    try {
      const { answer } = request.redirect === 'reuse' ? await this.#follow(request, grant, target, false) : {}
      if (answer !== undefined && isSuccess(answer)) return { ...answer, isRedirected: true, access: this.#access(grant) }
    } catch {}
    this.#redirects.forget(key, target)
    request.signal.throwIfAborted()
    return undefined
  }

  async #follow (request: RegistryRequest, grant: Grant, from: RedirectTarget, mayEscalate: boolean): Promise<{ answer: Answer, isRedirected: boolean }> {
    const { method, signal, firstByteMs, limitBytes } = request
    let { url, reach, isOwn } = from
    for (let hops = 0; ; hops++) {
      const answer = await this.#http.ask({
        method,
        url,
        reach,
        signal,
        firstByteMs,
        limitBytes,
        headers: { ...this.#headers(request), ...(isOwn && grant.authorization !== undefined ? { authorization: grant.authorization } : {}) },
        lane: grant.level === 'credential' ? 'credential' : 'anonymous',
        onRateLimit: hops === 0 && mayEscalate ? 'return' : request.failsWhenLimited === true ? 'fail' : 'wait'
      })
      const location = REDIRECTS.has(answer.status) && request.keepsRedirect !== true ? answer.headers.get('location') : undefined
      if (location === undefined) {
        if (hops > 0 && request.redirect !== undefined && isSuccess(answer)) this.#redirects.keep(this.#redirectKey(request, grant), { url, reach, isOwn })
        return { answer, isRedirected: hops > 0 }
      }
      if (hops === MAX_REDIRECTS) throw this.#invalidRedirect(url, `more than ${MAX_REDIRECTS} redirects`)
      const target = this.#redirectTarget(url, location)
      if (target.origin !== url.origin) isOwn = false
      reach = target.origin === this.#endpoint.url.origin ? this.#endpoint.ownReach : this.#endpoint.foreignReach
      url = target
    }
  }

  #startOf ({ repository, path, query }: RegistryRequest): RedirectTarget {
    return { url: this.urlOf(repository, path, query), reach: this.#endpoint.ownReach, isOwn: true }
  }

  /** Kept apart by grant: what comes from there has the access of the grant that led there. */
  #redirectKey ({ method, repository, path }: RegistryRequest, { level }: Grant): string {
    return `${level} ${method} ${repository} ${path}`
  }

  #headers ({ accept, headers }: RegistryRequest): Record<string, string> {
    return { 'user-agent': this.#userAgent, accept: accept ?? '*/*', 'accept-encoding': 'identity', ...headers }
  }

  #redirectTarget (from: URL, location: string): URL {
    const target = URL.parse(location, from.href)
    if (target === null) throw this.#invalidRedirect(from, 'a redirect to something that is no URL')
    target.username = ''
    target.password = ''
    target.hash = ''
    const isDowngrade = target.protocol === 'http:' && !this.#endpoint.realmRules.isHttpConfigured
    if (isDowngrade || !/^https?:$/.test(target.protocol)) {
      throw new OriginError('ORIGIN_FORBIDDEN', `GET ${redactUrl(from)}: redirected to ${redactUrl(target)}, which is not https`, { registry: this.#endpoint.registry })
    }
    return target
  }

  #invalidRedirect (url: URL, what: string): OriginError {
    return new OriginError('ORIGIN_INVALID', `GET ${redactUrl(url)}: ${what}`, { registry: this.#endpoint.registry })
  }

  /** A client certificate is a credential too. */
  #access (grant: Grant): OriginAccess {
    return grant.level === 'credential' || this.#endpoint.config.cert !== undefined ? 'restricted' : 'public'
  }

  #fullName (repository: string): string {
    return `${this.#endpoint.prefix}${repository}`
  }
}

/** 416: the range was judged, so the content is there. */
function isSuccess ({ status }: Answer): boolean {
  return (status >= 200 && status < 300) || status === 416
}
