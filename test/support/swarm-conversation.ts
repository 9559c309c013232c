import type { Connection, Stream } from '@libp2p/interface'
import { StreamTransport } from '../../src/net/stream-transport.ts'
import { encodeMessage } from '../../src/net/swarm-encode.ts'
import { FrameParser } from '../../src/net/swarm-frames.ts'
import type { JoinMessage, ListedMember, SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { pieceSpan } from '../../src/swarm/pieces.ts'
import { bytesSent, joinOf, type BadSwarmBehaviour } from './swarm-conduct.ts'
import { floods } from './swarm-floods.ts'

const CHUNK_BYTES = 64 * 1024
const TRICKLE_BYTES = 1024
const TRICKLE_MS = 1_000
const MADE_UP_BLOBS = 5_000
const HAVES = 50_000
/** Messages encoded and sent together. */
const FLOOD_BATCH = 100

export interface ConversationInit {
  readonly behaviour: BadSwarmBehaviour
  /** What it has, or pretends to have, of a blob of that size. */
  readonly contentOf: (digest: Digest, size: number) => Uint8Array | undefined
  /** It claims a part of the pieces, as one who reads them from the origin. */
  readonly isOwner: boolean
  /** Signed lists of the hashes of what it sends. */
  readonly attestations: (digest: Digest, bytes: Uint8Array) => readonly Uint8Array[]
  readonly stream: Stream
  readonly connection: Connection
  readonly onAsked: (message: SwarmMessage) => void
  readonly onMembers: (members: readonly ListedMember[]) => void
}

interface Taking {
  readonly bytes: Uint8Array
  /** Our channel. */
  readonly ours: number
  isAttested: boolean
}

/** One link of a bad peer. */
export class SwarmConversation {
  readonly #init: ConversationInit
  readonly #transport: StreamTransport
  /** What it takes part in, by the other side's channel. */
  readonly #takings = new Map<number, Taking>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #channel = 0

  constructor (init: ConversationInit) {
    this.#init = init
    this.#transport = new StreamTransport(init.stream)
    const parser = new FrameParser({ onMessage: message => { this.#receive(message) }, onBody: () => {} })
    this.#transport.onClosed = () => { this.#forgetTimers() }
    this.#transport.onBytes = bytes => {
      try {
        parser.push(bytes)
      } catch (error) {
        this.end(error as Error)
      }
    }
    this.#say({ type: 'hello', leech: false })
    if (init.behaviour === 'joins thousands of blobs' || init.behaviour === 'joins and leaves thousands of blobs') this.#joinMadeUp()
  }

  end (reason: Error): void {
    this.#forgetTimers()
    this.#transport.abort(reason)
  }

  #receive (message: SwarmMessage): void {
    switch (message.type) {
      case 'join':
        this.#init.onAsked(message)
        this.#joined(message)
        break
      case 'leave':
        this.#takings.delete(message.channel)
        break
      case 'request': {
        this.#init.onAsked(message)
        const taking = this.#takings.get(message.channel)
        if (taking !== undefined) for (const piece of message.pieces) this.#answer(taking, piece)
        break
      }
      case 'members':
        this.#init.onMembers(message.members)
        break
      case 'lane-offer':
        this.#say({ type: 'lane-refused' })
        break
      case 'ping':
        this.#say({ type: 'pong', nonce: message.nonce })
        break
      default:
    }
  }

  #joined ({ channel, digest, kind, size }: JoinMessage): void {
    const { behaviour, contentOf, isOwner } = this.#init
    const content = kind === 'blob' ? contentOf(digest, size) : undefined
    if (content === undefined) {
      this.#say({ type: 'missing', of: channel, reason: 'missing' })
      return
    }
    const taking: Taking = { bytes: bytesSent(behaviour, content), ours: ++this.#channel, isAttested: false }
    this.#takings.set(channel, taking)
    this.#say(joinOf(behaviour, digest, content.length, { channel: taking.ours, isOwner }))
    for (const attestation of this.#init.attestations(digest, taking.bytes)) this.#say({ type: 'attest', channel: taking.ours, attestation })
    if (behaviour === 'opens two channels') this.#say(joinOf(behaviour, digest, content.length, { channel: ++this.#channel, isOwner }))
    if (behaviour === 'sends pieces at once') this.#chunks(taking.ours, 0, taking.bytes.subarray(0, pieceSpan(content.length, 0).end))
    const flood = floods[behaviour]
    if (flood !== undefined) this.#flood(index => flood({ channel: taking.ours, theirs: channel, digest, size: content.length, index })).catch(() => {})
    if (behaviour === 'floods with haves') {
      const have = encodeMessage({ type: 'have', channel: taking.ours, pieces: [0], queue: 0 })
      this.#send(...Array.from({ length: HAVES }, () => have))
    }
  }

  #answer (taking: Taking, piece: number): void {
    const { behaviour, connection } = this.#init
    const channel = taking.ours
    const { start, end } = pieceSpan(taking.bytes.length, piece)
    const body = Uint8Array.from(taking.bytes.subarray(start, end))
    const half = Math.ceil(body.length / 2)
    switch (behaviour) {
      case 'is silent':
      case 'promises and gives nothing':
        return
      case 'is busy':
      case 'denies':
        this.#say({ type: 'reject', channel, pieces: [piece], reason: behaviour === 'denies' ? 'denied' : 'busy', queue: 0 })
        return
      case 'sends a huge length':
        this.#send(Uint8Array.of(0xff, 0xff, 0xff, 0x7f))
        return
      case 'sends garbage':
        this.#send(new Uint8Array(64).fill(0x55))
        return
      case 'flips a byte':
        body[half - 1] = (body[half - 1] ?? 0) ^ 1
        this.#chunks(channel, piece, body)
        return
      case 'sends pieces unasked':
        this.#chunks(channel, piece, body)
        this.#chunks(channel, piece, body)
        return
      case 'sends chunks out of order':
        this.#chunk(channel, piece, body.subarray(half), half)
        this.#chunk(channel, piece, body.subarray(0, half), 0)
        return
      case 'sends a chunk a second':
        this.#trickle(channel, piece, body, 0)
        return
      case 'dies within a piece':
        this.#chunk(channel, piece, body.subarray(0, half), 0)
        this.#later(20, () => { connection.abort(new Error('dies')) })
        return
      case 'ends the stream within a piece':
        this.#chunk(channel, piece, body.subarray(0, half), 0)
        this.#transport.close().catch(() => {})
        return
      default:
        this.#chunks(channel, piece, body)
    }
  }

  #chunks (channel: number, piece: number, body: Uint8Array): void {
    for (let at = 0; at < body.length; at += CHUNK_BYTES) this.#chunk(channel, piece, body.subarray(at, at + CHUNK_BYTES), at)
  }

  #chunk (channel: number, piece: number, chunk: Uint8Array, offset: number): void {
    if (chunk.length > 0) this.#send(encodeMessage({ type: 'piece', channel, piece, offset, length: chunk.length, queue: 0 }), chunk)
  }

  #trickle (channel: number, piece: number, body: Uint8Array, at: number): void {
    if (at >= body.length) return
    this.#chunk(channel, piece, body.subarray(at, at + TRICKLE_BYTES), at)
    this.#later(TRICKLE_MS, () => { this.#trickle(channel, piece, body, at + TRICKLE_BYTES) })
  }

  #joinMadeUp (): void {
    for (let index = 0; index < MADE_UP_BLOBS; index++) {
      const channel = ++this.#channel
      this.#say({ type: 'join', channel, kind: 'blob', digest: digestOf(Buffer.from(`made up ${index}`)), size: 1_000_000, restricted: false, complete: false, leech: false, readsOrigin: true })
      if (this.#init.behaviour === 'joins and leaves thousands of blobs') this.#say({ type: 'leave', channel })
    }
  }

  /** Says one thing after the other as fast as it is taken, until it is cut off. */
  async #flood (next: (index: number) => readonly SwarmMessage[]): Promise<void> {
    for (let index = 0; ; index += FLOOD_BATCH) {
      await this.#transport.send(Array.from({ length: FLOOD_BATCH }, (_, offset) => next(index + offset)).flat().map(message => encodeMessage(message)))
    }
  }

  #say (message: SwarmMessage): void {
    this.#send(encodeMessage(message))
  }

  #send (...parts: Uint8Array[]): void {
    // The agent may have had enough of it.
    this.#transport.send(parts).catch(() => {})
  }

  #later (delayMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, delayMs)
    this.#timers.add(timer)
  }

  #forgetTimers (): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
