import { Agent } from 'undici'
import { guardHost, type Reach } from './address-guard.ts'
import { ConnectError, Connector, type ConnectorInit } from './connector.ts'
import { HttpExchange, type HttpRequest, type HttpResponse } from './http-exchange.ts'

/** Longer than a token that carries a person's groups. */
const MAX_HEADER_BYTES = 64 * 1024
const KEEP_ALIVE_MS = 30_000

/**
 * HTTP/1.1 with kept-alive connections for one registry and the hosts it sends us to. Owns the sockets and the
 * deadlines of connecting and of the first byte. Never follows a redirect, never decompresses, never retries.
 */
export class Transport {
  readonly #init: ConnectorInit
  readonly #agents = new Map<Reach, { readonly agent: Agent, readonly connector: Connector }>()
  #isClosed = false

  constructor (init: ConnectorInit) {
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
    const taken = [...this.#agents.values()]
    this.#agents.clear()
    for (const { connector } of taken) connector.close()
    return taken.map(({ agent }) => agent)
  }

  #agent (reach: Reach): Agent {
    const existing = this.#agents.get(reach)
    if (existing !== undefined) return existing.agent
    const connector = new Connector(this.#init, reach)
    const agent = new Agent({ connect: (options, callback) => { connector.connect(options, callback) }, allowH2: false, keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: MAX_HEADER_BYTES })
    this.#agents.set(reach, { agent, connector })
    return agent
  }
}
