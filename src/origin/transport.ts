import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import { Agent, buildConnector } from 'undici'
import { DeadlineError } from '../errors.ts'
import { guardedLookup, guardHost, type Reach } from './address-guard.ts'
import { HttpExchange, type HttpRequest, type HttpResponse } from './http-exchange.ts'

/** Longer than a token that carries a person's groups. */
const MAX_HEADER_BYTES = 64 * 1024
const KEEP_ALIVE_MS = 30_000

export interface TransportInit {
  /** From dial to the end of the TLS handshake, DNS included. */
  readonly connectMs: number
  /** PEM of an own certificate authority, besides Node's. */
  readonly ca?: string
  /** PEM of a client certificate; shown to hosts of reach `any` only. */
  readonly cert?: string
  readonly key?: string
  /** Name lookup. @default that of node:dns */
  readonly lookup?: Parameters<typeof guardedLookup>[1]
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
      const exchange = new HttpExchange(request, this.#init.connectMs, resolve, reject)
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
function connector (init: TransportInit, reach: Reach): buildConnector.connector {
  const { connectMs } = init
  const common = { allowH2: false, timeout: 0, lookup: guardedLookup(reach, init.lookup) }
  const plain = buildConnector(common)
  let secure: buildConnector.connector | undefined
  return (options, callback) => {
    let isOver = false
    const connect = options.protocol === 'https:' ? secure ??= buildConnector({ ...common, secureContext: contextOf(init, reach) }) : plain
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

/** Made once a host, as it parses every authority: a redirect may lead to a store with a certificate of the public kind, so an own authority joins the others. */
function contextOf ({ ca, cert, key }: TransportInit, reach: Reach): SecureContext | undefined {
  const clientCertificate = reach === 'any' && cert !== undefined ? { cert, key } : undefined
  if (ca === undefined && clientCertificate === undefined) return undefined
  return createSecureContext({ ...clientCertificate, ca: ca === undefined ? undefined : [...getCACertificates('default'), ca] })
}

function codeOf (error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
