import type { AddressInfo, Socket } from 'node:net'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import type { LaneCertificate } from './direct-certificate.ts'
import { DirectLaneError } from './direct-error.ts'
import type { DirectOffers } from './direct-offers.ts'
import { ACCEPTED, LANE_TLS, TOKEN_BYTES } from './direct-tls.ts'
import { DirectTransport, type DirectTransportInit } from './direct-transport.ts'

const DEFAULT_PROOF_TIMEOUT_MS = 10_000
const DEFAULT_MAX_UNPROVEN = 256

export interface DirectListenerInit {
  /** How long a client may take for the TLS handshake, and again as long to show its token. @default 10000 */
  readonly proofTimeoutMs?: number
  /** Connections that have not shown a token; the next are dropped. @default 256 */
  readonly maxUnproven?: number
  readonly transport?: DirectTransportInit
}

/**
 * Where the other side of an offer comes to. Owns the server and the sockets that have not shown a token; those that have
 * are their transports'. Whoever else connects learns nothing, costs a bounded amount and never makes it throw.
 */
export class DirectListener {
  readonly #offers: DirectOffers
  readonly #proofTimeoutMs: number
  readonly #maxUnproven: number
  readonly #transportInit: DirectTransportInit | undefined
  readonly #server: Server
  /** Connections that have not shown a token, by their addresses: Node does not tell which of them a TLS socket is on. */
  readonly #unproven = new Map<string, Socket>()

  constructor (offers: DirectOffers, certificate: LaneCertificate, init: DirectListenerInit = {}) {
    this.#offers = offers
    this.#proofTimeoutMs = init.proofTimeoutMs ?? DEFAULT_PROOF_TIMEOUT_MS
    this.#maxUnproven = init.maxUnproven ?? DEFAULT_MAX_UNPROVEN
    this.#transportInit = init.transport
    this.#server = createServer({ ...LANE_TLS, cert: certificate.cert, key: certificate.key, handshakeTimeout: this.#proofTimeoutMs, noDelay: true })
    this.#server.on('connection', (socket: Socket) => { this.#connected(socket) })
    this.#server.on('secureConnection', socket => { this.#secured(socket) })
    this.#server.on('tlsClientError', (_, socket) => { socket.destroy() })
    // Such as too many open files: that connection is lost, the next may not be.
    this.#server.on('error', () => {})
  }

  /** Connections that have not shown a token. */
  get unprovenCount (): number {
    return this.#unproven.size
  }

  get port (): number {
    return (this.#server.address() as AddressInfo).port
  }

  /** @returns the system's error code when it cannot be had */
  async listen (host: string, port: number): Promise<string | undefined> {
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    const onError = (error: NodeJS.ErrnoException): void => { resolve(error.code ?? error.message) }
    const onListening = (): void => { resolve(undefined) }
    this.#server.once('error', onError)
    this.#server.once('listening', onListening)
    try {
      this.#server.listen({ host, port })
      return await promise
    } catch (error) {
      throw new DirectLaneError('LANE_LISTEN', `cannot listen on ${host}:${port}`, { cause: error })
    } finally {
      this.#server.off('error', onError)
      this.#server.off('listening', onListening)
    }
  }

  /** Takes nobody any more, and drops those that have not shown a token. Transports live on. */
  close (): void {
    this.#server.close()
    for (const socket of [...this.#unproven.values()]) socket.destroy()
  }

  #connected (socket: Socket): void {
    socket.on('error', () => {})
    // A scan does not even get a handshake while nobody is expected.
    if (this.#offers.size === 0 || this.#unproven.size >= this.#maxUnproven) {
      socket.destroy()
      return
    }
    const key = keyOf(socket)
    this.#unproven.set(key, socket)
    socket.once('close', () => {
      if (this.#unproven.get(key) === socket) this.#unproven.delete(key)
    })
  }

  #secured (socket: TLSSocket): void {
    socket.on('error', () => {})
    const timer = setTimeout(() => { socket.destroy() }, this.#proofTimeoutMs)
    socket.once('close', () => { clearTimeout(timer) })
    const token = Buffer.alloc(TOKEN_BYTES)
    let shown = 0
    const onData = (bytes: Buffer): void => {
      // A client says nothing more before it is accepted.
      if (shown + bytes.length > TOKEN_BYTES) {
        socket.destroy()
        return
      }
      shown += bytes.copy(token, shown)
      if (shown < TOKEN_BYTES) return
      clearTimeout(timer)
      socket.off('data', onData)
      this.#shown(socket, token)
    }
    socket.on('data', onData)
  }

  #shown (socket: TLSSocket, token: Uint8Array): void {
    const offer = this.#offers.take(token)
    if (offer === undefined) {
      socket.destroy()
      return
    }
    this.#unproven.delete(keyOf(socket))
    const transport = new DirectTransport(socket, this.#transportInit)
    // Until its owner listens. Sockets that were accepted have no `onread`: Node allocates for each record.
    socket.pause()
    socket.on('data', (bytes: Buffer) => { transport.receive(bytes) })
    socket.write(Buffer.of(ACCEPTED))
    offer.resolve(transport)
  }
}

function keyOf ({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return [localAddress, localPort, remoteAddress, remotePort].join(' ')
}
