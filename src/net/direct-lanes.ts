import { makeLaneCertificate, type LaneCertificate } from './direct-certificate.ts'
import { connectDirect, type LaneOffer } from './direct-connect.ts'
import { DirectLaneError } from './direct-error.ts'
import { DirectListener, type DirectListenerInit } from './direct-listener.ts'
import { DirectOffers } from './direct-offers.ts'
import type { FrameTransport } from './frame-transport.ts'

const DEFAULT_CONNECT_TIMEOUT_MS = 10_000
const DEFAULT_OFFER_TIMEOUT_MS = 30_000
const DEFAULT_MAX_OFFERS = 256

export interface DirectLanesInit extends DirectListenerInit {
  /** From the dial to a lane that can be used. Until then the link goes on as it is, so a host that is busy with its start may take long. @default 10000 */
  readonly connectTimeoutMs?: number
  /** How long an offer is good. @default 30000 */
  readonly offerTimeoutMs?: number
  /** Offers that nobody has come for yet; beyond, none is made. @default 256 */
  readonly maxOffers?: number
}

/** An offer of ours. */
export interface MadeOffer {
  readonly offer: LaneOffer
  /** The lane, when the peer has come. Rejects with DirectLaneError LANE_EXPIRED; may be ignored. */
  readonly accepted: Promise<FrameTransport>
}

/**
 * Direct lanes: TLS 1.3 sockets beside libp2p's connections, which cost a sixth of the processor's time. Who may come is
 * agreed on over an authenticated stream: our certificate's fingerprint and a token that is good once. Owns the listener
 * and the offers; a transport is its user's.
 */
export class DirectLanes {
  readonly #init: DirectLanesInit
  readonly #offers: DirectOffers
  #certificate: LaneCertificate | undefined
  #listener: DirectListener | undefined

  constructor (init: DirectLanesInit = {}) {
    this.#init = init
    this.#offers = new DirectOffers(init.maxOffers ?? DEFAULT_MAX_OFFERS, init.offerTimeoutMs ?? DEFAULT_OFFER_TIMEOUT_MS)
  }

  /** Where we listen; undefined when we do not. */
  get port (): number | undefined {
    return this.#listener?.port
  }

  /** Connections to us that have not shown a token. */
  get unprovenCount (): number {
    return this.#listener?.unprovenCount ?? 0
  }

  /**
   * Listens; where the port is taken, on any other, as the port travels with each offer.
   *
   * @param port 0: any
   * @returns whether it is the port that was asked for
   * @throws DirectLaneError LANE_LISTEN
   */
  async listen (host: string, port: number): Promise<{ readonly port: number, readonly isPortTaken: boolean }> {
    this.#certificate ??= makeLaneCertificate()
    const listener = new DirectListener(this.#offers, this.#certificate, this.#init)
    const failure = await listener.listen(host, port)
    const isPortTaken = failure === 'EADDRINUSE' && port !== 0
    const finalFailure = isPortTaken ? await listener.listen(host, 0) : failure
    if (finalFailure !== undefined) throw new DirectLaneError('LANE_LISTEN', `cannot listen on ${host}:${port} (${finalFailure})`)
    this.#listener?.close()
    this.#listener = listener
    return { port: listener.port, isPortTaken }
  }

  /** A lane for one peer to come to, once. An older offer to it is void. @returns undefined when we do not listen, or too many are out */
  offer (peer: string): MadeOffer | undefined {
    if (this.#listener === undefined || this.#certificate === undefined) return undefined
    const made = this.#offers.make(peer)
    if (made === undefined) return undefined
    return { offer: { port: this.#listener.port, fingerprint: this.#certificate.fingerprint, token: made.token }, accepted: made.accepted }
  }

  /**
   * Uses an offer of a peer's. Whoever connects reads at half the cost of the other side (Node has `onread` for clients
   * only), so it is best done by the one who has more to receive.
   *
   * @param host where the peer is reached
   * @throws DirectLaneError LANE_UNREACHABLE, LANE_FINGERPRINT, LANE_REFUSED; the signal's reason
   */
  async connect (offer: LaneOffer, host: string, { signal }: { signal?: AbortSignal } = {}): Promise<FrameTransport> {
    return connectDirect(offer, host, { timeoutMs: this.#init.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS, signal, transport: this.#init.transport })
  }

  /** Makes no more offers, and takes nobody any more. */
  close (): void {
    this.#listener?.close()
    this.#listener = undefined
    this.#offers.clear()
  }
}
