import type { Interceptor } from './recording-proxy.ts'

export interface BearerGateInit {
  readonly username: string
  readonly password: string
  /** What the token server gives for them. */
  readonly token: string
}

/** Makes an open registry ask for a Bearer token of its own token server, `/token` at the same address: Docker's token authentication specification. */
export function bearerGate ({ username, password, token }: BearerGateInit): Interceptor {
  const basic = basicAuthorization(username, password)
  return ({ url = '', headers }, response) => {
    if (url.startsWith('/token')) {
      const isKnown = headers.authorization === basic
      response.writeHead(isKnown ? 200 : 401, { 'content-type': 'application/json' }).end(isKnown ? JSON.stringify({ token, expires_in: 300 }) : '{}')
      return true
    }
    if (headers.authorization === `Bearer ${token}`) return false
    response.writeHead(401, { 'content-type': 'application/json', 'www-authenticate': `Bearer realm="http://${headers.host}/token",service="shoal, test",scope="repository:someone/else:pull"` })
      .end('{"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}')
    return true
  }
}

/** Sends every read of a blob to another host, by a signed URL. */
export function blobRedirect (host: string, signature: string): Interceptor {
  return ({ url = '', method }, response) => {
    if (method !== 'GET' || !url.includes('/blobs/')) return false
    response.writeHead(307, { location: `${host}${url}?X-Amz-Signature=${signature}` }).end()
    return true
  }
}

export function basicAuthorization (username: string, password: string): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
