import type { ZooAnswer, ZooRequest } from './zoo-behaviour.ts'

interface Users {
  /** Passwords by user. */
  readonly users: Readonly<Record<string, string>>
}

export type ZooAuth =
  /** Every request wants a user. */
  | { readonly type: 'basic' } & Users
  /** Every request wants a token of this server's own `/token`, or of another realm. */
  | { readonly type: 'bearer' } & Users & {
    /** Repositories that anonymous tokens do not open. @default none */
    readonly closed?: readonly string[]
    /** The token server refuses those without credentials. @default false */
    readonly refusesAnonymous?: boolean
    /** Refresh tokens taken by POST. @default none */
    readonly identityTokens?: readonly string[]
    /** @default this server's `/token` */
    readonly realm?: string
    /** Seconds, or undefined to leave it out. @default 300 */
    readonly expiresInSeconds?: number | undefined
    /** @default 'token' */
    readonly tokenField?: 'token' | 'access_token'
  }

const SERVICE = 'zoo.test'

/** Gives out tokens and asks for them. Tokens say what they are good for: nothing here is secret but to a client. */
export class ZooGate {
  readonly #auth: ZooAuth | undefined
  #issued = 0
  #validFrom = 0

  constructor (auth: ZooAuth | undefined) {
    this.#auth = auth
  }

  /** Tokens given out so far are good no longer. */
  revoke (): void {
    this.#validFrom = this.#issued + 1
  }

  /** The refusal, or undefined for a request that may pass. */
  refuse (request: ZooRequest, url: string): ZooAnswer | undefined {
    const auth = this.#auth
    if (auth === undefined || request.topic === 'token') return undefined
    const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ')
    if (auth.type === 'basic') {
      if (scheme === 'Basic' && userOf(value, auth) !== undefined) return undefined
      return unauthorized('Basic realm="zoo, with a comma"')
    }
    const [number, repository, user] = Buffer.from(value, 'base64url').toString().split('|')
    const isOpen = !(auth.closed ?? []).includes(request.repository) || user !== ''
    if (scheme === 'Bearer' && Number(number) >= this.#validFrom && repository === request.repository && isOpen) return undefined
    const error = scheme === 'Bearer' ? ',error="insufficient_scope"' : ''
    return unauthorized(`Bearer realm="${auth.realm ?? `${url}/token`}",service="${SERVICE}",scope="repository:placeholder/of,commas:pull"${error}`)
  }

  token (request: ZooRequest): ZooAnswer {
    const auth = this.#auth
    if (auth?.type !== 'bearer') return { status: 404, headers: {}, body: Buffer.from('no token server here') }
    const isPost = request.method === 'POST'
    const asked = isPost ? new URLSearchParams(request.body) : new URL(request.url, 'http://zoo').searchParams
    const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ')
    const user = isPost
      ? (auth.identityTokens ?? []).includes(asked.get('refresh_token') ?? '') ? 'identity' : undefined
      : scheme === 'Basic' ? userOf(value, auth) : auth.refusesAnonymous === true ? undefined : ''
    const [type, repository, actions] = (asked.get('scope') ?? '').split(':')
    if (user === undefined || type !== 'repository' || actions !== 'pull') return unauthorized('Basic realm="token server"')
    const token = Buffer.from(`${++this.#issued}|${repository}|${user}`).toString('base64url')
    const lifetime = 'expiresInSeconds' in auth ? auth.expiresInSeconds : 300
    const document = { [auth.tokenField ?? 'token']: token, expires_in: lifetime }
    return { status: 200, headers: { 'Content-Type': 'application/json' }, body: Buffer.from(JSON.stringify(document)) }
  }
}

function userOf (basic: string, { users }: Users): string | undefined {
  const [user = '', ...password] = Buffer.from(basic, 'base64').toString().split(':')
  return users[user] === password.join(':') && user !== '' ? user : undefined
}

function unauthorized (challenge: string): ZooAnswer {
  return { status: 401, headers: { 'WWW-Authenticate': challenge, 'Content-Type': 'application/json' }, body: Buffer.from('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}') }
}
