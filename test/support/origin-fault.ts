import type { Interceptor, RecordingProxy } from './recording-proxy.ts'

/** Which requests a fault hits. */
export type FaultScope = 'manifests' | 'blobs'

/** What a registry may do to a request instead of answering it. */
export type OriginFault = (proxy: RecordingProxy, scope: FaultScope) => Interceptor

/** It takes the request and stays silent. */
export const hangs: OriginFault = (_proxy, scope) => request => isIn(scope, request.url)

/** It answers every request with this status. */
export function answers (status: number, headers: Readonly<Record<string, string>> = {}): OriginFault {
  return (_proxy, scope) => (request, response) => {
    if (!isIn(scope, request.url)) return false
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end('{"errors":[{"code":"UNKNOWN","message":"fault"}]}')
    return true
  }
}

/** A fault that hits each path once; asked again, the registry answers. */
export function once (fault: OriginFault): OriginFault {
  return (proxy, scope) => {
    const hit = new Set<string | undefined>()
    const intercept = fault(proxy, scope)
    return (request, response) => {
      if (!isIn(scope, request.url) || request.method === 'HEAD' || hit.has(request.url)) return false
      hit.add(request.url)
      return intercept(request, response)
    }
  }
}

/** The answer ends after a share (0-1) of its body: the connection is torn, or silent from there on. */
export function endsAt (share: number, manner: 'torn' | 'silent'): OriginFault {
  return (proxy, scope) => (request, response) => {
    if (!isIn(scope, request.url) || request.method === 'HEAD') return false
    proxy.fetch(request).then(({ status, headers, body }) => {
      response.writeHead(status, headers)
      response.write(body.subarray(0, Math.floor(body.length * share)), () => { if (manner === 'torn') response.destroy() })
    }, () => { response.destroy() })
    return true
  }
}

/** Every answer has one wrong byte, at a share (0-1) of its body. */
export function flipsAt (share: number): OriginFault {
  return (proxy, scope) => (request, response) => {
    if (!isIn(scope, request.url) || request.method === 'HEAD') return false
    proxy.fetch(request).then(({ status, headers, body }) => {
      const at = Math.floor(body.length * share)
      body[at] = (body[at] ?? 0) ^ 1
      response.writeHead(status, headers).end(body)
    }, () => { response.destroy() })
    return true
  }
}

function isIn (scope: FaultScope, url = ''): boolean {
  return url.includes(`/${scope}/`)
}
