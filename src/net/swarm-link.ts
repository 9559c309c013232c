import { DeadlineError } from '../errors.ts'
import { LaneClosedError, type FrameTransport } from './frame-transport.ts'
import { LinkPulse } from './link-pulse.ts'
import { MessageAllowance } from './message-allowance.ts'
import { partsOf } from './message-parts.ts'
import type { IntakePace } from './pace.ts'
import { PacedReading } from './paced-reading.ts'
import { encodeMessage } from './swarm-encode.ts'
import { FrameParser } from './swarm-frames.ts'
import { SwarmMessageError, type HelloMessage, type PieceMessage, type SwarmMessage } from './swarm-message.ts'
import { SwarmProtocolState } from './swarm-protocol-state.ts'

/** Control bytes that may wait for a peer that reads nothing, before we give it up. */
const MAX_UNSENT_BYTES = 8 * 1024 * 1024
const DEFAULT_HELLO_TIMEOUT_MS = 5_000
/** Before a lane that could not be made is tried again, twice as long each time: it may have been a busy moment. */
const MIN_LANE_RETRY_MS = 5_000
const MAX_LANE_RETRY_MS = 10 * 60_000

/** What a link tells the one who uses it. */
export interface LinkHandlers {
  /** Both have said hello. */
  onOpen (link: SwarmLink): void
  /** Every message but those of the link itself (hello, lanes, pings). @throws SwarmMessageError, which ends the link */
  onMessage (link: SwarmLink, message: SwarmMessage): void
  /** Bytes of a piece, lent: valid only during the call. @throws as `onMessage` */
  onBody (link: SwarmLink, message: PieceMessage, bytes: Uint8Array, offset: number, isLast: boolean): void
  /** Nothing more comes or goes. `error` undefined: it was ended cleanly. */
  onClosed (link: SwarmLink, error: Error | undefined): void
  /** How far away the other side is has been measured. */
  onMeasured? (link: SwarmLink): void
  /** Whether a session needs the link; all are needed where nobody says. */
  isUsed? (link: SwarmLink): boolean
  /** Whether something that goes before all else has been asked for over the link. */
  isUrgent? (link: SwarmLink): boolean
}

/** What a link asks of the direct lanes, where there are any. */
export interface LinkLanes {
  /** A lane for this peer to come to, and the transport once it has. Undefined: we have none to offer. */
  offer (peer: string): { readonly message: SwarmMessage, readonly accepted: Promise<FrameTransport> } | undefined
  /** Uses the peer's offer. Rejects when it cannot be reached. */
  connect (peer: string, offer: Extract<SwarmMessage, { type: 'lane-offer' }>): Promise<FrameTransport>
}

export interface SwarmLinkInit {
  readonly peer: string
  /** We have opened its stream. */
  readonly isOutbound: boolean
  readonly hello: Omit<HelloMessage, 'type'>
  readonly lanes?: LinkLanes
  /** What the peer may say. @default a new one */
  readonly allowance?: MessageAllowance
  /** How fast bytes may come, from all others together. @default as fast as they do */
  readonly intake?: IntakePace
  /** How long the other side may take to say hello. @default 5000 */
  readonly helloTimeoutMs?: number
}

/**
 * All that two agents say to each other: one stream, all sessions. Owns its transports: it begins on a libp2p stream and
 * moves to a direct lane when both agree on one, each side on its own with a `lane-switch` behind which nothing follows.
 * Messages of one tick go out together. It knows no blob.
 */
export class SwarmLink {
  readonly peer: string
  readonly isOutbound: boolean
  readonly #handlers: LinkHandlers
  readonly #lanes: LinkLanes | undefined
  readonly #state = new SwarmProtocolState()
  readonly #pulse = new LinkPulse()
  readonly #allowance: MessageAllowance
  readonly #helloTimer: NodeJS.Timeout
  readonly #parsers: FrameParser[] = []
  readonly #intake: IntakePace | undefined
  /** Of the transport that is read; undefined without a limit. */
  #reading: PacedReading | undefined
  readonly #stream: FrameTransport
  #direct: FrameTransport | undefined
  /** What we send by. */
  #out: FrameTransport
  #unsent: Uint8Array[] = []
  #hello: HelloMessage | undefined
  #isClosed = false
  #laneState: 'none' | 'offered' | 'connecting' | 'up' | 'refused' = 'none'
  /** Offers made and taken: what is heard of an earlier one counts no more. */
  #laneAttempt = 0
  #laneRetryMs = MIN_LANE_RETRY_MS
  #laneRetryAtMs = 0
  #hasPeerSwitched = false

  constructor (stream: FrameTransport, handlers: LinkHandlers, init: SwarmLinkInit) {
    this.peer = init.peer
    this.isOutbound = init.isOutbound
    this.#handlers = handlers
    this.#lanes = init.lanes
    this.#allowance = init.allowance ?? new MessageAllowance()
    this.#intake = init.intake
    this.#stream = stream
    this.#out = stream
    const timeoutMs = init.helloTimeoutMs ?? DEFAULT_HELLO_TIMEOUT_MS
    this.#helloTimer = setTimeout(() => { this.abort(new DeadlineError('hello', timeoutMs)) }, timeoutMs)
    this.#attach(stream)
    this.send({ type: 'hello', ...init.hello })
  }

  /** What the peer says of itself; undefined until it has. */
  get hello (): HelloMessage | undefined {
    return this.#hello
  }

  get isOpen (): boolean {
    return !this.#isClosed
  }

  /** The way to the other side and back, in milliseconds, as far as it was measured. */
  get rttMs (): number | undefined {
    return this.#pulse.rttMs
  }

  /** Milliseconds since we last did not read what the other side sends, as more has come than may: 0 while we do not, undefined: never. */
  get heldMsAgo (): number | undefined {
    return this.#reading?.heldMsAgo
  }

  /** Some time has passed: asks whether the other side lives, and gives it up when nothing comes. */
  beat (): void {
    if (this.#isClosed || this.#hello === undefined) return
    if (this.#reading?.heldMsAgo === 0) this.#pulse.hasHeard = true
    const due = this.#pulse.beat(performance.now())
    if (due === 'dead') this.abort(new DeadlineError('answering a ping', 0))
    else if (due !== undefined) this.send({ type: 'ping', nonce: due })
  }

  /** What carries our side. */
  get lane (): FrameTransport['lane'] {
    return this.#out.lane
  }

  /** Bytes that have not left this process. */
  get unsentBytes (): number {
    return this.#out.unsentBytes
  }

  /** Sends soon, in order. Nothing happens once it is closed. */
  send (message: SwarmMessage): void {
    if (this.#isClosed) return
    if (this.#unsent.length === 0) queueMicrotask(() => { this.#flush() })
    const parts = partsOf(message)
    if (parts === undefined) this.#unsent.push(encodeMessage(message))
    else this.#unsent.push(...parts.map(encodeMessage))
  }

  /** Sends a chunk; resolves when its bytes are no longer referenced and there is room for more. Rejects once closed. */
  async sendPiece (message: PieceMessage, body: Uint8Array): Promise<void> {
    const parts = this.#unsent
    this.#unsent = []
    parts.push(encodeMessage(message), body)
    await this.#out.send(parts)
  }

  /** Moves to a direct lane if there can be one. Asked again, nothing happens, unless the last try has failed and is long enough ago. */
  wantDirect (): void {
    const isDue = this.#laneState === 'none' || (this.#laneState === 'refused' && performance.now() >= this.#laneRetryAtMs)
    if (!isDue || this.#isClosed || this.#hello === undefined) return
    const offer = this.#lanes?.offer(this.peer)
    if (offer === undefined) return
    const attempt = this.#beginLane('offered')
    this.send(offer.message)
    offer.accepted.then(transport => { this.#useDirect(transport, attempt) }, () => { this.#laneFailed(attempt) })
  }

  /** Ends it when all is sent. */
  close (): void {
    this.#flush()
    if (this.#isClosed) return
    const transports = this.#transports()
    this.#ended(undefined)
    for (const transport of transports) transport.close().catch(() => {})
  }

  /** Frees it at once. */
  abort (error: Error): void {
    if (this.#isClosed) return
    const transports = this.#transports()
    this.#ended(error)
    for (const transport of transports) transport.abort(error)
  }

  #transports (): FrameTransport[] {
    return this.#direct === undefined ? [this.#stream] : [this.#stream, this.#direct]
  }

  #flush (): void {
    if (this.#unsent.length === 0 || this.#isClosed) return
    const parts = this.#unsent
    this.#unsent = []
    this.#out.send(parts).catch((error: unknown) => { this.abort(error as Error) })
    if (this.#out.unsentBytes > MAX_UNSENT_BYTES) this.abort(new DeadlineError('taking what we say', 0))
  }

  #attach (transport: FrameTransport): void {
    const parser = new FrameParser({
      onMessage: message => { this.#receive(message) },
      onBody: (message, bytes, offset, isLast) => { this.#handlers.onBody(this, message, bytes, offset, isLast) }
    })
    this.#parsers.push(parser)
    this.#reading?.end()
    const reading = this.#intake === undefined ? undefined : new PacedReading(transport, this.#intake, () => this.#handlers.isUrgent?.(this) === true)
    this.#reading = reading
    transport.onClosed = error => {
      if (this.#isClosed) return
      if (error === undefined) this.close()
      else this.abort(error)
    }
    transport.onBytes = bytes => {
      if (this.#isClosed) return
      this.#pulse.hasHeard = true
      try {
        parser.push(bytes)
      } catch (error) {
        this.abort(error as Error)
      }
      if (reading !== undefined && reading === this.#reading && !this.#isClosed) reading.came(bytes.byteLength)
    }
  }

  #receive (message: SwarmMessage): void {
    this.#allowance.spend(message)
    this.#state.receive(message)
    switch (message.type) {
      case 'hello':
        this.#hello = message
        clearTimeout(this.#helloTimer)
        this.send({ type: 'ping', nonce: this.#pulse.ping(performance.now()) })
        this.#handlers.onOpen(this)
        break
      case 'lane-offer':
        this.#offered(message)
        break
      case 'lane-refused':
        if (this.#laneState === 'offered') this.#laneFailed(this.#laneAttempt)
        break
      case 'lane-switch':
        this.#hasPeerSwitched = true
        this.#readDirect()
        break
      case 'ping':
        this.send({ type: 'pong', nonce: message.nonce })
        break
      case 'pong':
        if (this.#pulse.ponged(message.nonce, performance.now())) this.#handlers.onMeasured?.(this)
        break
      default:
        this.#handlers.onMessage(this, message)
    }
  }

  /** Where both have offered, the offer of the one who opened the stream is void. */
  #offered (message: Extract<SwarmMessage, { type: 'lane-offer' }>): void {
    const isUsable = this.#laneState === 'none' || this.#laneState === 'refused' || (this.#laneState === 'offered' && this.isOutbound)
    if (!isUsable || this.#lanes === undefined) {
      if (this.#lanes === undefined) this.send({ type: 'lane-refused' })
      return
    }
    const attempt = this.#beginLane('connecting')
    this.#lanes.connect(this.peer, message).then(transport => { this.#useDirect(transport, attempt) }, () => {
      if (this.#laneFailed(attempt)) this.send({ type: 'lane-refused' })
    })
  }

  #beginLane (state: 'offered' | 'connecting'): number {
    this.#laneState = state
    return ++this.#laneAttempt
  }

  #isAwaited (attempt: number): boolean {
    return attempt === this.#laneAttempt && (this.#laneState === 'offered' || this.#laneState === 'connecting')
  }

  /** @returns whether that try was still going on */
  #laneFailed (attempt: number): boolean {
    if (!this.#isAwaited(attempt)) return false
    this.#laneState = 'refused'
    this.#laneRetryAtMs = performance.now() + this.#laneRetryMs
    this.#laneRetryMs = Math.min(2 * this.#laneRetryMs, MAX_LANE_RETRY_MS)
    return true
  }

  #useDirect (transport: FrameTransport, attempt: number): void {
    if (this.#isClosed || !this.#isAwaited(attempt)) {
      transport.abort(new SwarmMessageError('a lane that is not wanted any more'))
      return
    }
    this.#laneState = 'up'
    this.#direct = transport
    transport.onClosed = error => { this.abort(error ?? new LaneClosedError('direct')) }
    this.send({ type: 'lane-switch' })
    this.#flush()
    this.#out = transport
    if (this.#hasPeerSwitched) this.#readDirect()
  }

  /** The peer's frames come over the direct lane from now on. */
  #readDirect (): void {
    if (this.#direct !== undefined && this.#hasPeerSwitched) this.#attach(this.#direct)
  }

  #ended (error: Error | undefined): void {
    this.#isClosed = true
    this.#unsent = []
    for (const parser of this.#parsers) parser.close()
    this.#reading?.end()
    clearTimeout(this.#helloTimer)
    this.#handlers.onClosed(this, error)
  }
}
