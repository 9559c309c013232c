import { Agent, buildConnector, type Dispatcher } from 'undici'
import { DeadlineError } from '../errors.ts'
import { guardedLookup, guardHost, type Reach } from './address-guard.ts'
import { BodyStream } from './body-stream.ts'

/** Longer than a token that carries a person's groups. */
const MAX_HEADER_BYTES = 64 * 1024
const KEEP_ALIVE_MS = 30_000

export interface TransportInit {
  /** From dial to the end of the TLS handshake, DNS included. */
  readonly connectMs: number
  /** PEM of an own certificate authority, in place of the system's. */
  readonly ca?: string
  /** PEM of a client certificate; shown to hosts of reach `any` only. */
  readonly cert?: string
  readonly key?: string
  /** Name lookup. @default that of node:dns */
  readonly lookup?: Parameters<typeof guardedLookup>[1]
}

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD' | 'POST'
  readonly url: URL
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly reach: Reach
  /** From the connection (or from now on one that is kept alive) to the headers; the first byte of the body has what is left. */
  readonly firstByteMs: number
  readonly stallMs: number
  readonly signal?: AbortSignal
}

export interface HttpResponse {
  readonly status: number
  readonly headers: ResponseHeaders
  readonly url: URL
  /** To be read to its end or cancelled. */
  readonly body: BodyStream
}

/** One value per name; lists stay with their commas. */
export interface ResponseHeaders {
  /** @param name lower case */
  get (name: string): string | undefined
}

/** No connection came about. */
export class ConnectError extends Error {
  readonly code: string

  constructor (cause: Error) {
    super(cause.message === '' ? codeOf(cause) : cause.message, { cause })
    this.name = 'ConnectError'
    this.code = codeOf(cause)
  }
}

/**
 * HTTP/1.1 with kept-alive connections for one registry and the hosts it sends us to. Owns the sockets and the
 * deadlines of connecting and of the first byte. Never follows a redirect, never decompresses, never retries.
 */
export class Transport {
  readonly #init: TransportInit
  readonly #agents = new Map<Reach, Agent>()
  #isClosed = false

  constructor (init: TransportInit) {
    this.#init = init
  }

  /** @throws AddressRefusedError, ConnectError, DeadlineError, the signal's reason, or what the socket said */
  async send (request: HttpRequest): Promise<HttpResponse> {
    const { signal, url, reach } = request
    signal?.throwIfAborted()
    if (this.#isClosed) throw new ConnectError(new Error('the origin is closed'))
    guardHost(url.hostname, reach)
    return new Promise((resolve, reject) => {
      const exchange = new Exchange(request, this.#init.connectMs, resolve, reject)
      try {
        this.#agent(reach).dispatch({ origin: url.origin, path: `${url.pathname}${url.search}`, method: request.method, headers: { ...request.headers }, body: request.body ?? null, headersTimeout: 0, bodyTimeout: 0 }, exchange)
      } catch (error) {
        exchange.onResponseError(undefined, error as Error)
      }
    })
  }

  /** Ends every connection, those in use too. */
  async close (): Promise<void> {
    await Promise.all(this.#takeAgents().map(agent => agent.destroy()))
  }

  /** Ends every connection when what it carries is done. */
  async retire (): Promise<void> {
    await Promise.all(this.#takeAgents().map(agent => agent.close()))
  }

  #takeAgents (): Agent[] {
    this.#isClosed = true
    const agents = [...this.#agents.values()]
    this.#agents.clear()
    return agents
  }

  #agent (reach: Reach): Agent {
    const existing = this.#agents.get(reach)
    if (existing !== undefined) return existing
    const agent = new Agent({ connect: connector(this.#init, reach), allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: MAX_HEADER_BYTES })
    this.#agents.set(reach, agent)
    return agent
  }
}

/** undici's connector with an exact deadline and the address guard. */
function connector ({ connectMs, ca, cert, key, lookup }: TransportInit, reach: Reach): buildConnector.connector {
  const connect = buildConnector({
    allowH2: false,
    timeout: 0,
    lookup: guardedLookup(reach, lookup),
    ca,
    ...(reach === 'any' ? { cert, key } : {})
  })
  return (options, callback) => {
    let isOver = false
    // undici's connector returns its socket, though its type does not say so.
    const socket = connect(options, (...[error, connected]: Parameters<buildConnector.Callback>) => {
      clearTimeout(timer)
      if (isOver) return
      isOver = true
      if (error === null) callback(null, connected)
      else callback(error instanceof DeadlineError ? error : new ConnectError(error), null)
    }) as unknown as { destroy: (error: Error) => void }
    const timer = setTimeout(() => { socket.destroy(new DeadlineError('connect', connectMs)) }, connectMs)
  }
}

/** One request on its way: undici's handler, the deadline to the headers, and the caller's signal up to the body's end. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #request: HttpRequest
  readonly #resolve: (response: HttpResponse) => void
  readonly #reject: (error: unknown) => void
  readonly #onAbort: () => void
  #timer: NodeJS.Timeout | undefined
  #controller: Dispatcher.DispatchController | undefined
  #body: BodyStream | undefined
  #failure: Error | undefined
  #startedAt = performance.now()

  constructor (request: HttpRequest, connectMs: number, resolve: (response: HttpResponse) => void, reject: (error: unknown) => void) {
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
    this.#onAbort = () => { this.#fail(asError(request.signal?.reason)) }
    request.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.#armHeaders(connectMs + request.firstByteMs)
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    if (this.#failure !== undefined) return controller.abort(this.#failure)
    this.#controller = controller
    this.#startedAt = performance.now()
    this.#armHeaders(this.#request.firstByteMs)
  }

  onResponseStart (controller: Dispatcher.DispatchController, status: number, headers: Record<string, string | string[] | undefined>): void {
    // 1xx: the answer is still to come.
    if (status < 200) return
    clearTimeout(this.#timer)
    const { firstByteMs, stallMs, url } = this.#request
    const leftMs = Math.max(1, firstByteMs - (performance.now() - this.#startedAt))
    this.#body = new BodyStream(controller, { firstByteMs: leftMs, stallMs })
    this.#resolve({ status, url, body: this.#body, headers: { get: name => joined(headers[name]) } })
  }

  onResponseData (_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#body?.push(chunk)
  }

  onResponseEnd (): void {
    this.#settle()
    this.#body?.end()
  }

  onResponseError (_controller: Dispatcher.DispatchController | undefined, error: Error): void {
    this.#fail(error)
  }

  #armHeaders (delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => { this.#fail(new DeadlineError('headers', this.#request.firstByteMs)) }, delayMs)
  }

  #fail (error: Error): void {
    if (this.#failure !== undefined) return
    this.#failure = error
    this.#settle()
    this.#body?.fail(error)
    this.#controller?.abort(error)
    this.#reject(error)
  }

  #settle (): void {
    clearTimeout(this.#timer)
    this.#request.signal?.removeEventListener('abort', this.#onAbort)
  }
}

function joined (value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value.join(', ') : value
}

function codeOf (error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}

function asError (reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason })
}
