import type { Reach } from './address-guard.ts'
import { basicAuthorization, type Credential } from './credentials.ts'
import { excuseOf } from './excuse.ts'
import { OriginError } from './origin-error.ts'
import { redactUrl } from './redact-url.ts'
import type { Answer, RegistryHttp } from './registry-http.ts'
import type { Token } from './token-cache.ts'

const MAX_TOKEN_BYTES = 256 * 1024
const CLIENT_ID = 'shoal'
/** Distribution's token specification: "For compatibility with older clients, a token should never be returned with less than 60 seconds to live", and 60 is the default. */
const DEFAULT_EXPIRES_IN_S = 60
const MAX_EXPIRES_IN_S = 24 * 60 * 60
/** What may stand in an Authorization header. */
const TOKEN_TEXT = /^[\x21-\x7e]+$/
const utf8 = new TextDecoder()

export interface TokenRequest {
  readonly registry: string
  readonly realm: URL
  readonly service: string | undefined
  /** Full name of the repository at its host. */
  readonly name: string
  /** undefined for an anonymous token. */
  readonly credential: Credential | undefined
  readonly reach: Reach
  readonly userAgent: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/**
 * Fetches a token to pull from one repository: Docker's token authentication specification (GET), and its OAuth2
 * form (POST) for identity tokens. The scope is ours: registries' own is a placeholder at times.
 * @param now milliseconds, monotonic: that of the cache
 * @returns undefined where the server refuses
 * @throws OriginError
 */
export async function fetchToken (http: RegistryHttp, request: TokenRequest, now: () => number): Promise<Token | undefined> {
  const askedAtMs = now()
  const answer = await ask(http, request)
  const { status } = answer
  if (status >= 200 && status < 300) return readToken(answer, request, askedAtMs)
  if (status >= 400 && status < 500) return undefined
  throw new OriginError('ORIGIN_INVALID', `token server ${redactUrl(request.realm)}: status ${status}${excuseOf(answer.bytes)}`, { registry: request.registry, status })
}

function ask (http: RegistryHttp, { realm, service, name, credential, reach, userAgent, timeoutMs, signal }: TokenRequest): Promise<Answer> {
  const scope = `repository:${name}:pull`
  const headers = { 'user-agent': userAgent, accept: 'application/json', 'accept-encoding': 'identity' }
  const common = { reach, signal, firstByteMs: timeoutMs, limitBytes: MAX_TOKEN_BYTES, lane: credential === undefined ? 'anonymous' : 'credential' } as const
  if (credential?.type === 'identity-token') {
    const form = new URLSearchParams({ grant_type: 'refresh_token', service: service ?? '', client_id: CLIENT_ID, scope, refresh_token: credential.token })
    return http.ask({ ...common, method: 'POST', url: realm, headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' }, body: form.toString() })
  }
  const url = new URL(realm)
  if (service !== undefined) url.searchParams.set('service', service)
  url.searchParams.set('scope', scope)
  if (credential === undefined) return http.ask({ ...common, method: 'GET', url, headers })
  url.searchParams.set('account', credential.username)
  return http.ask({ ...common, method: 'GET', url, headers: { ...headers, authorization: basicAuthorization(credential.username, credential.password) } })
}

function readToken ({ bytes }: Answer, { registry, realm }: TokenRequest, askedAtMs: number): Token {
  const { token, access_token: accessToken, expires_in: expiresIn } = parse(bytes)
  const value = typeof token === 'string' && token !== '' ? token : accessToken
  if (typeof value !== 'string' || !TOKEN_TEXT.test(value)) throw new OriginError('ORIGIN_INVALID', `token server ${redactUrl(realm)}: its answer holds no token`, { registry })
  const seconds = typeof expiresIn === 'number' && expiresIn > 0 ? Math.min(expiresIn, MAX_EXPIRES_IN_S) : DEFAULT_EXPIRES_IN_S
  return { value, expiresAtMs: askedAtMs + seconds * 1000 }
}

function parse (bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const document: unknown = JSON.parse(utf8.decode(bytes))
    if (typeof document === 'object' && document !== null) return document as Record<string, unknown>
  } catch {}
  return {}
}
