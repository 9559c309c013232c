import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { AddressInfo } from 'node:net'

const UPSTREAM_TIMEOUT_MS = 60_000
const RANGE = /^bytes=(\d+)-/

/** One request, from its first line to the end of its answer. */
export interface RecordedRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly authorization: string | undefined
  /** First byte asked for; 0 without a Range. */
  readonly rangeStart: number
  status: number
  /** Bytes of the answer's body handed on so far. */
  bytes: number
  isDone: boolean
}

/** Answers in place of the registry, or lets the request through by returning false. */
export type Interceptor = (request: IncomingMessage, response: ServerResponse) => boolean

export interface RecordingProxyInit {
  /** Base URL of the registry behind it. */
  readonly target: string
  /** Pace of every body. @default as fast as it goes */
  readonly bytesPerSecond?: number
}

/** Stands before a registry for one agent alone, so that its requests can be told from those of others. */
export class RecordingProxy {
  /** In the order of their arrival. */
  readonly requests: RecordedRequest[] = []
  /** Asked for every request first; may be changed at any time. */
  intercept: Interceptor = () => false
  readonly #init: RecordingProxyInit
  readonly #server = createServer(this.#handle.bind(this))

  private constructor (init: RecordingProxyInit) {
    this.#init = init
  }

  static async start (init: RecordingProxyInit): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(init)
    await proxy.listen()
    return proxy
  }

  get port (): number {
    return (this.#server.address() as AddressInfo).port
  }

  get url (): string {
    return `http://127.0.0.1:${this.port}`
  }

  /** Requests whose answer carried content: neither `/v2/` nor HEAD. */
  get contentRequests (): RecordedRequest[] {
    return this.requests.filter(({ method, path }) => method !== 'HEAD' && /\/(blobs|manifests)\//.test(path))
  }

  /** Bytes of manifests and blobs handed on. */
  get contentBytes (): number {
    return this.contentRequests.reduce((bytes, recorded) => bytes + recorded.bytes, 0)
  }

  /** The registry's own answer, for an interceptor that wants to spoil it. */
  async fetch (incoming: IncomingMessage): Promise<{ status: number, headers: Record<string, string>, body: Buffer }> {
    const headers = Object.fromEntries(['accept', 'authorization', 'range'].flatMap(name => {
      const value = incoming.headers[name]
      return typeof value === 'string' ? [[name, value]] : []
    }))
    const response = await fetch(new URL(incoming.url ?? '/', this.#init.target), { headers, signal: AbortSignal.timeout(UPSTREAM_TIMEOUT_MS) })
    return { status: response.status, headers: Object.fromEntries(response.headers), body: Buffer.from(await response.arrayBuffer()) }
  }

  /** On a port that it had before, so that those who know it find it again. */
  async listen (port = 0): Promise<void> {
    this.#server.listen(port, '127.0.0.1')
    await once(this.#server, 'listening')
  }

  async stop (): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #handle (incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const recorded: RecordedRequest = {
      method: incoming.method ?? '', path: (incoming.url ?? '').split('?')[0] ?? '', authorization: incoming.headers.authorization, rangeStart: Number(RANGE.exec(incoming.headers.range ?? '')?.[1] ?? 0), status: 0, bytes: 0, isDone: false
    }
    this.requests.push(recorded)
    response.once('close', () => {
      recorded.status = response.statusCode
      recorded.isDone = true
    })
    try {
      if (!this.intercept(incoming, response)) await this.#forward(incoming, response, recorded)
    } catch {
      response.destroy()
    }
  }

  async #forward (incoming: IncomingMessage, response: ServerResponse, recorded: RecordedRequest): Promise<void> {
    const upstream = request(new URL(incoming.url ?? '/', this.#init.target), { method: incoming.method, headers: incoming.headers, timeout: UPSTREAM_TIMEOUT_MS, agent: false })
    upstream.end()
    response.once('close', () => { upstream.destroy() })
    const [answer] = await once(upstream, 'response') as [IncomingMessage]
    response.writeHead(answer.statusCode ?? 502, answer.headers)
    await pipeline(answer, body => this.#pace(body as AsyncIterable<Buffer>, recorded), response)
  }

  async * #pace (body: AsyncIterable<Buffer>, recorded: RecordedRequest): AsyncGenerator<Buffer> {
    const { bytesPerSecond = Infinity } = this.#init
    const started = performance.now()
    for await (const chunk of body) {
      const dueMs = recorded.bytes / bytesPerSecond * 1000
      const earlyMs = dueMs - (performance.now() - started)
      if (earlyMs > 1) await new Promise(resolve => { setTimeout(resolve, earlyMs) })
      recorded.bytes += chunk.length
      yield chunk
    }
  }
}
