import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls'
import type { Socket } from 'node:net'
import { buildConnector } from 'undici'
import { DeadlineError } from '../errors.ts'
import { ListeningTimer } from '../listening-timer.ts'
import { guardedLookup, type Reach } from './address-guard.ts'
import { IdleWires } from './idle-wires.ts'
import { OriginSocket } from './origin-socket.ts'
import { Wire } from './wire.ts'

/** Of hosts whose TLS session is kept for the next connection. */
const MAX_SESSIONS = 100

export interface ConnectorInit {
  /** From dial to the end of the TLS handshake, DNS included. */
  readonly connectMs: number
  /** PEM of an own certificate authority, besides Node's. */
  readonly ca?: string
  /** PEM of a client certificate; shown to hosts of reach `any` only. */
  readonly cert?: string
  readonly key?: string
  /** Bodies are read no faster than this. @default no limit */
  readonly bytesPerSecond?: number
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

/** undici's connector with an exact deadline, the address guard, and sockets that can give a body past undici's parser. */
export class Connector {
  readonly #init: ConnectorInit
  readonly #reach: Reach
  readonly #idle = new IdleWires()
  readonly #sessions = new Map<string, Buffer>()
  #context: SecureContext | undefined

  constructor (init: ConnectorInit, reach: Reach) {
    this.#init = init
    this.#reach = reach
  }

  connect (options: buildConnector.Options, callback: buildConnector.Callback): void {
    const key = `${options.protocol}//${options.hostname}:${options.port}`
    const idle = this.#idle.take(key)
    if (idle === undefined) this.#dial(key, options, callback)
    else queueMicrotask(() => { callback(null, this.#socketOn(idle, key)) })
  }

  /** Ends the connections that serve nobody. */
  close (): void {
    this.#idle.close()
  }

  #dial (key: string, options: buildConnector.Options, callback: buildConnector.Callback): void {
    const { connectMs, lookup, bytesPerSecond } = this.#init
    const wire = new Wire(bytesPerSecond)
    let isOver = false
    const secureContext = options.protocol === 'https:' ? this.#context ??= contextOf(this.#init, this.#reach) : undefined
    const connect = buildConnector({ allowH2: false, timeout: 0, lookup: guardedLookup(this.#reach, lookup), secureContext, session: this.#sessions.get(key), onread: wire.onread })
    // undici's connector returns its socket, though its type does not say so.
    const socket = connect(options, (...[error]: Parameters<buildConnector.Callback>) => {
      deadline.stop()
      if (isOver) return
      isOver = true
      if (error === null) callback(null, this.#socketOn(wire, key))
      else callback(error instanceof DeadlineError ? error : new ConnectError(error), null)
    }) as unknown as Socket
    wire.attach(socket)
    // undici keeps sessions as well, but a connector for each
    socket.on('session', (session: Buffer) => { this.#keepSession(key, session) })
    const deadline = new ListeningTimer(connectMs, () => { socket.destroy(new DeadlineError('connect', connectMs)) })
  }

  #keepSession (key: string, session: Buffer): void {
    this.#sessions.delete(key)
    if (this.#sessions.size === MAX_SESSIONS) this.#sessions.clear()
    this.#sessions.set(key, session)
  }

  /** To undici it is a socket: it asks for no more than a Duplex has, and `ref`. */
  #socketOn (wire: Wire, key: string): Socket {
    return new OriginSocket(wire, () => { this.#idle.put(key, wire) }) as unknown as Socket
  }
}

/** Made once a host, as it parses every authority: a redirect may lead to a store with a certificate of the public kind, so an own authority joins the others. */
function contextOf ({ ca, cert, key }: ConnectorInit, reach: Reach): SecureContext | undefined {
  const clientCertificate = reach === 'any' && cert !== undefined ? { cert, key } : undefined
  if (ca === undefined && clientCertificate === undefined) return undefined
  return createSecureContext({ ...clientCertificate, ca: ca === undefined ? undefined : [...getCACertificates('default'), ca] })
}

function codeOf (error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name
}
