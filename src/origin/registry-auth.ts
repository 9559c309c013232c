import { RecentMap } from '../recent.ts'
import { basicAuthorization, credentialId, type Credential, type CredentialSource } from './credentials.ts'
import { waitFor, withDeadline } from './deadline.ts'
import { OriginError } from './origin-error.ts'
import type { OriginLog } from './origin-log.ts'
import type { OriginTimeouts } from './origin-timeouts.ts'
import { judgeRealm } from './realm.ts'
import { redactUrl } from './redact-url.ts'
import type { RegistryEndpoint } from './registry-config.ts'
import type { Answer, RegistryHttp } from './registry-http.ts'
import type { TokenCache } from './token-cache.ts'
import { fetchToken } from './token-client.ts'
import { parseChallenges } from './www-authenticate.ts'

const MAX_REPOSITORIES = 1000
/** How long a repository is taken to be open or closed as it was found; then it is asked without credentials again. */
const MEMORY_MS = 10 * 60 * 1000

/**
 * How a request is authorised. `none`: as anybody, without a header; `anonymous`: with a token that anybody gets;
 * `credential`: with credentials of ours, so what it brings is restricted.
 */
export interface Grant {
  readonly level: 'none' | 'anonymous' | 'credential'
  readonly authorization?: string
  /** Set when the token came out of the cache: a refusal may mean no more than that it is too old. */
  readonly cachedToken?: string
}

type KnownChallenge =
  | { readonly scheme: 'basic' }
  | { readonly scheme: 'bearer', readonly realm: URL, readonly service: string | undefined }

interface Memory {
  challenge: KnownChallenge | undefined
  level: Grant['level']
  untilMs: number
}

export interface RegistryAuthComponents {
  readonly http: RegistryHttp
  readonly credentials: CredentialSource
  readonly tokens: TokenCache
  readonly now: () => number
  readonly log: OriginLog
}

export interface RegistryAuthInit {
  readonly timeouts: OriginTimeouts
  readonly userAgent: string
}

/**
 * Decides how each request to one registry is authorised. The ladder is: as anybody, with an anonymous token, with
 * our credentials; a step is taken only when the registry refuses the one before. So what is public is found to be
 * public even by those who are logged in, and no credential goes where none is wanted. The step that worked is
 * remembered per repository, so the search costs one or two requests in ten minutes.
 * Owns that memory and the tokens' keys; never sends a request to the registry itself.
 */
export class RegistryAuth {
  readonly #components: RegistryAuthComponents
  readonly #endpoint: RegistryEndpoint
  readonly #init: RegistryAuthInit
  readonly #memory = new RecentMap<string, Memory>(MAX_REPOSITORIES)

  constructor (components: RegistryAuthComponents, endpoint: RegistryEndpoint, init: RegistryAuthInit) {
    this.#components = components
    this.#endpoint = endpoint
    this.#init = init
  }

  /** What to try first. @param name full name of the repository at its host */
  async begin (name: string, signal: AbortSignal): Promise<Grant> {
    const memory = this.#memory.get(name)
    if (memory === undefined || memory.untilMs <= this.#components.now()) return { level: 'none' }
    return await this.#grant(name, memory.level, signal) ?? { level: 'none' }
  }

  /** What to try after the registry answered 401, 403, 404 or 429; undefined when there is nothing left. */
  async next (name: string, grant: Grant, answer: Pick<Answer, 'status' | 'headers'>, signal: AbortSignal): Promise<Grant | undefined> {
    if (answer.status === 401) {
      const challenge = knownChallenge(answer.headers.get('www-authenticate'))
      if (challenge === undefined) return undefined
      this.#recall(name).challenge = challenge
      if (grant.cachedToken !== undefined) {
        this.#components.tokens.forget(grant.cachedToken)
        const renewed = await this.#grant(name, grant.level, signal)
        if (renewed !== undefined) return renewed
      }
      if (grant.level === 'none') {
        const anonymous = await this.#grant(name, 'anonymous', signal)
        if (anonymous !== undefined) return anonymous
      }
    }
    if (grant.level === 'credential') return undefined
    try {
      return await this.#grant(name, 'credential', signal)
    } catch (error) {
      // Only a 401 asks for credentials: the others were worth a try, and stay what they were.
      if (answer.status !== 401 && error instanceof OriginError && error.code === 'ORIGIN_FORBIDDEN') return undefined
      throw error
    }
  }

  /** Whether a refusal of this grant might be answered with credentials. Looks for none: a helper that hangs must not hold what is public. */
  mayEscalate (name: string, grant: Grant): boolean {
    return grant.level !== 'credential' && this.#memory.get(name)?.challenge !== undefined
  }

  /** The grant was good for a success. */
  remember (name: string, { level }: Grant): void {
    const memory = this.#recall(name)
    if (memory.level === level && memory.untilMs > this.#components.now()) return
    memory.level = level
    memory.untilMs = this.#components.now() + MEMORY_MS
  }

  async #grant (name: string, level: Grant['level'], signal: AbortSignal): Promise<Grant | undefined> {
    if (level === 'none') return { level }
    const challenge = this.#memory.get(name)?.challenge
    if (challenge === undefined) return undefined
    const credential = level === 'credential' ? await this.#credential(name, signal) : undefined
    if (level === 'credential' && credential === undefined) return undefined
    if (challenge.scheme === 'bearer') return this.#bearer(name, level, challenge, credential, signal)
    return credential?.type === 'password' ? { level, authorization: basicAuthorization(credential.username, credential.password) } : undefined
  }

  async #bearer (name: string, level: Grant['level'], { realm, service }: KnownChallenge & { scheme: 'bearer' }, credential: Credential | undefined, signal: AbortSignal): Promise<Grant | undefined> {
    const { registry, realmRules, ownReach, foreignReach, url: { hostname } } = this.#endpoint
    const { http, tokens, now } = this.#components
    const { timeouts: { tokenMs }, userAgent } = this.#init
    const verdict = judgeRealm(realm, realmRules)
    if (verdict === 'forbidden' || (verdict === 'anonymous' && credential !== undefined)) {
      this.#components.log({ type: 'origin:realm-refused', registry, realm: redactUrl(realm), reason: verdict === 'forbidden' ? 'not https' : 'not of the registry\'s domain, and not allow-listed: it gets no credentials' })
      if (verdict === 'forbidden') throw new OriginError('ORIGIN_FORBIDDEN', `its token server ${redactUrl(realm)} is not one to be asked`, { registry })
      throw new OriginError('ORIGIN_FORBIDDEN', `its token server ${redactUrl(realm)} is of another domain and not among its \`realms\`: it gets no credentials`, { registry })
    }
    const reach = verdict === 'anonymous' ? 'public' : realm.hostname === hostname ? ownReach : foreignReach
    const key = JSON.stringify([registry, name, credential === undefined ? '' : credentialId(credential)])
    const isCached = tokens.has(key)
    const token = await this.#refusable(waitFor(tokens.get(key, () => withDeadline('token', tokenMs, undefined, async own => {
      const fetched = await fetchToken(http, { registry, realm, service, name, credential, reach, userAgent, timeoutMs: tokenMs, signal: own }, now)
      if (fetched === undefined) throw new RefusedError()
      return fetched
    })), signal))
    return token === undefined ? undefined : { level, authorization: `Bearer ${token.value}`, ...(isCached ? { cachedToken: key } : {}) }
  }

  async #refusable<T> (work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      if (error instanceof RefusedError) return undefined
      throw error
    }
  }

  async #credential (name: string, signal: AbortSignal): Promise<Credential | undefined> {
    const { credentialHost, config: { username, password } } = this.#endpoint
    if (username !== undefined && password !== undefined) return { type: 'password', username, password }
    return this.#components.credentials.find({ host: credentialHost, path: name }, { signal })
  }

  #recall (name: string): Memory {
    const known = this.#memory.get(name)
    if (known !== undefined) return known
    const memory: Memory = { challenge: undefined, level: 'none', untilMs: -Infinity }
    this.#memory.set(name, memory)
    return memory
  }
}

/** The token server said no: not kept, as the answer may change. */
class RefusedError extends Error {}

function knownChallenge (header: string | undefined): KnownChallenge | undefined {
  const challenges = parseChallenges(header)
  for (const { scheme, parameters } of challenges) {
    const realm = scheme === 'bearer' ? URL.parse(parameters.get('realm') ?? '') : null
    if (realm !== null) {
      realm.username = ''
      realm.password = ''
      return { scheme: 'bearer', realm, service: parameters.get('service') }
    }
  }
  return challenges.some(({ scheme }) => scheme === 'basic') ? { scheme: 'basic' } : undefined
}
