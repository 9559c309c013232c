import { timingSafeEqual } from 'node:crypto'
import type { OnReadOpts } from 'node:net'
import { connect, createSecureContext, type ConnectionOptions, type SecureContext, type TLSSocket } from 'node:tls'
import { DeadlineError } from '../errors.ts'
import { ListeningTimer } from '../listening-timer.ts'
import { fingerprintOf } from './direct-certificate.ts'
import { DirectLaneError } from './direct-error.ts'
import { ACCEPTED, LANE_TLS } from './direct-tls.ts'
import { DirectTransport, type DirectTransportInit } from './direct-transport.ts'
import type { FrameTransport } from './frame-transport.ts'

/** Node hands over one TLS record at a time, and the bytes are lent during the call only: one buffer of that size will do. */
const READ_BYTES = 16 * 1024

/** Where a peer waits for us; it came to us over an authenticated stream. */
export interface LaneOffer {
  readonly port: number
  /** sha256 of the certificate in DER. */
  readonly fingerprint: Uint8Array
  /** Shows who we are; good once. */
  readonly token: Uint8Array
}

export interface DirectConnectInit {
  /** From the dial to the answer to our token. */
  readonly timeoutMs: number
  readonly signal?: AbortSignal
  readonly transport?: DirectTransportInit
}

let sharedContext: SecureContext | undefined

/** Uses an offer. @throws DirectLaneError LANE_UNREACHABLE, LANE_FINGERPRINT or LANE_REFUSED; the signal's reason */
export async function connectDirect (offer: LaneOffer, host: string, { timeoutMs, signal, transport: init }: DirectConnectInit): Promise<FrameTransport> {
  signal?.throwIfAborted()
  const { promise, resolve, reject } = Promise.withResolvers<FrameTransport>()
  let transport: DirectTransport | undefined
  let hasShownToken = false
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES)
  const receive = (length: number): boolean => {
    if (transport !== undefined) return transport.receive(buffer.subarray(0, length))
    if (!hasShownToken || buffer[0] !== ACCEPTED) {
      socket.destroy()
      return true
    }
    transport = new DirectTransport(socket, init)
    resolve(transport)
    return length === 1 || transport.receive(buffer.subarray(1, length))
  }
  // An authority of no use, so that Node does not load its own.
  sharedContext ??= createSecureContext({ ...LANE_TLS, ca: [] })
  const options: ConnectionOptions & { readonly onread: OnReadOpts } = {
    host,
    port: offer.port,
    secureContext: sharedContext,
    // The pin is what counts, and it is looked at before anything is sent.
    rejectUnauthorized: false,
    servername: '',
    onread: { buffer, callback: receive }
  }
  const socket = connect(options, () => {
    if (!isPinned(socket, offer.fingerprint)) {
      reject(new DirectLaneError('LANE_FINGERPRINT', `${host}:${offer.port} has another certificate`))
      socket.destroy()
      return
    }
    hasShownToken = true
    socket.write(offer.token)
  })
  socket.setNoDelay(true)
  socket.on('error', (error: Error) => { reject(new DirectLaneError('LANE_UNREACHABLE', `${host}:${offer.port}: ${error.message}`, { cause: error })) })
  socket.once('close', () => {
    reject(hasShownToken
      ? new DirectLaneError('LANE_REFUSED', `${host}:${offer.port} did not take the token`)
      : new DirectLaneError('LANE_UNREACHABLE', `${host}:${offer.port} ended the connection`))
  })
  const deadline = new ListeningTimer(timeoutMs, () => { socket.destroy(new DeadlineError('connecting', timeoutMs)) })
  const onAbort = (): void => {
    reject(signal?.reason as Error)
    socket.destroy()
  }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await promise
  } finally {
    deadline.stop()
    signal?.removeEventListener('abort', onAbort)
  }
}

function isPinned (socket: TLSSocket, fingerprint: Uint8Array): boolean {
  const certificate = socket.getPeerX509Certificate()
  if (certificate === undefined) return false
  const actual = fingerprintOf(certificate.raw)
  return actual.byteLength === fingerprint.byteLength && timingSafeEqual(actual, fingerprint)
}
