import { pipe } from 'it-pipe'
import type { Stream } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { ShoalError } from '../errors.ts'
import type { EventSink } from '../events.ts'
import type { Digest } from '../oci/digest.ts'
import { BlobMessageError, decodeRequest, encodeResponse, MAX_MESSAGE_LENGTH, type BlobRequest, type BlobResponse, type ReadRequest, type ResponseCode } from './blob-protocol.ts'
import type { Pace } from './pace.ts'
import type { SharedContent } from './peers.ts'
import { SharedCursor } from './shared-cursor.ts'
import { SlotPool, type Slot } from './slot-pool.ts'
import { StreamChannel } from './stream-io.ts'
import { WaitBudget } from './wait-budget.ts'

const DEFAULT_IDLE_TIMEOUT_MS = 60_000
const DEFAULT_SEND_TIMEOUT_MS = 30_000
const DEFAULT_CLOSE_TIMEOUT_MS = 2_000
const DEFAULT_MAX_READERS_PER_PEER = 32
const DEFAULT_MAX_READERS = 256
const DEFAULT_MAX_CHUNK_BYTES = 256 * 1024
/** Unread requests a conversation may pile up: some hundred, more than any window needs. */
const MAX_BUFFERED_BYTES = 16 * 1024
/** Bytes sent between two events that say so. */
const SERVED_EVENT_BYTES = 8 * 1024 * 1024

export interface BlobServerComponents {
  readonly events: EventSink
}

export interface BlobServerInit {
  /** How long a conversation may go without a request. @default 60000 */
  readonly idleTimeoutMs?: number
  /** How long one chunk may wait for the peer to take it. @default 30000 */
  readonly sendTimeoutMs?: number
  /** How long an ending stream may take to end. @default 2000 */
  readonly closeTimeoutMs?: number
  /** Conversations of one peer that may read at a time; the others are told `busy`. @default 32 */
  readonly maxReadersPerPeer?: number
  /** Conversations of all peers that may read at a time. @default 256 */
  readonly maxReaders?: number
  /** Bytes handed to the stream at a time. @default 262144 */
  readonly maxChunkBytes?: number
  /** When bytes may go. @default at once */
  readonly pace?: Pace
}

/**
 * Answers other agents' conversations. Owns their streams and what they have open in the store, and the count of who
 * reads; decides nothing about what may be given: that is `SharedContent`. Nothing a peer sends makes it throw.
 */
export class BlobServer {
  readonly #events: EventSink
  readonly #idleTimeoutMs: number
  readonly #sendTimeoutMs: number
  readonly #closeTimeoutMs: number
  readonly #maxChunkBytes: number
  readonly #pace: Pace | undefined
  readonly #readers: SlotPool
  readonly #conversations = new Set<StreamChannel>()
  #content: SharedContent | undefined

  constructor (components: BlobServerComponents, init: BlobServerInit = {}) {
    this.#events = components.events
    this.#idleTimeoutMs = init.idleTimeoutMs ?? DEFAULT_IDLE_TIMEOUT_MS
    this.#sendTimeoutMs = init.sendTimeoutMs ?? DEFAULT_SEND_TIMEOUT_MS
    this.#closeTimeoutMs = init.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS
    this.#maxChunkBytes = Math.min(init.maxChunkBytes ?? DEFAULT_MAX_CHUNK_BYTES, init.pace?.chunkBytes ?? Infinity)
    this.#pace = init.pace
    this.#readers = new SlotPool({
      maxPerKey: init.maxReadersPerPeer ?? DEFAULT_MAX_READERS_PER_PEER,
      max: init.maxReaders ?? DEFAULT_MAX_READERS,
      maxQueued: 0
    })
  }

  /** What is given from now on. Until then everything is missing. */
  share (content: SharedContent): void {
    this.#content = content
  }

  /** Serves one inbound stream to its end. Never throws. */
  async serve (stream: Stream, peer: string): Promise<void> {
    const channel = new StreamChannel(stream, { maxBufferedBytes: MAX_BUFFERED_BYTES, maxUnsentBytes: this.#maxChunkBytes })
    const conversation = new Conversation(peer, this.#content, this.#events, channel.cut)
    this.#conversations.add(channel)
    try {
      await pipe(
        this.#requests(channel),
        requests => this.#answers(requests, conversation),
        async answers => { for await (const bytes of answers) await channel.send(bytes, new WaitBudget('sending to a peer', this.#sendTimeoutMs)) }
      )
      await channel.close(this.#closeTimeoutMs)
    } catch (error) {
      channel.abort(error instanceof Error ? error : new Error(String(error)))
    } finally {
      this.#conversations.delete(channel)
      await conversation.end()
    }
  }

  /** Cuts all conversations. */
  stop (): void {
    for (const channel of this.#conversations) channel.abort(new Error('the agent stops'))
  }

  async * #requests (channel: StreamChannel): AsyncGenerator<Uint8Array> {
    while (true) {
      const message = await channel.readMessage(MAX_MESSAGE_LENGTH, new WaitBudget('waiting for a request', this.#idleTimeoutMs))
      if (message === undefined) return
      yield message
    }
  }

  async * #answers (messages: AsyncIterable<Uint8Array>, conversation: Conversation): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    for await (const message of messages) {
      let request: BlobRequest
      try {
        request = decodeRequest(message)
      } catch (error) {
        // A request whose id is unknown cannot be refused, only cut.
        if (!(error instanceof BlobMessageError) || error.id === undefined) throw error
        yield refusal(error.id, 'bad-request')
        continue
      }
      if (request.operation === 'have') yield encodeResponse(await conversation.has(request))
      else yield * this.#read(request, conversation)
    }
  }

  async * #read (request: ReadRequest, conversation: Conversation): AsyncGenerator<Uint8Array | Uint8ArrayList> {
    if (!conversation.takeSlot(this.#readers)) {
      yield refusal(request.id, 'busy')
      return
    }
    const found = await conversation.look(request)
    if (found.code === 'ok' && request.start > found.size) {
      yield refusal(request.id, 'bad-request')
      return
    }
    const length = found.code === 'ok' ? Math.min(request.length, found.size - request.start) : 0
    let header: Uint8Array | undefined = encodeResponse({ ...found, length })
    if (length === 0) {
      yield header
      return
    }
    for await (const chunk of conversation.cursor.read(request.start, length, this.#maxChunkBytes)) {
      await this.#pace?.pass(chunk.byteLength, { isUrgent: request.kind === 'manifest' })
      // One frame of the muxer rather than two: each costs a header, an encryption and a window update.
      yield header === undefined ? chunk : new Uint8ArrayList(header, chunk)
      header = undefined
      conversation.countServed(request.digest, chunk.byteLength)
    }
  }
}

/** What one stream holds while it lasts: the open content, its place among the readers from its first read on, and what it has sent. */
class Conversation {
  readonly cursor: SharedCursor
  readonly #peer: string
  readonly #events: EventSink
  #slot: Slot | undefined
  #served: { digest: Digest, bytes: number } | undefined

  constructor (peer: string, content: SharedContent | undefined, events: EventSink, signal: AbortSignal) {
    this.#peer = peer
    this.#events = events
    this.cursor = new SharedCursor(content ?? { open: async () => undefined }, signal)
  }

  takeSlot (readers: SlotPool): boolean {
    this.#slot ??= readers.tryTake(this.#peer)
    return this.#slot !== undefined
  }

  async look ({ id, kind, digest }: BlobRequest): Promise<BlobResponse> {
    try {
      const content = await this.cursor.open(kind, digest)
      if (content !== undefined) return { id, code: 'ok', size: content.size, restricted: content.restricted, length: 0 }
    } catch (error) {
      if (error instanceof ShoalError && error.code === 'CONTENT_DENIED') return { id, code: 'denied', size: 0, restricted: false, length: 0 }
      throw error
    }
    return { id, code: 'missing', size: 0, restricted: false, length: 0 }
  }

  /** As `look`; only those with a place among the readers keep a file open between two requests. */
  async has (request: BlobRequest): Promise<BlobResponse> {
    const response = await this.look(request)
    if (this.#slot === undefined) await this.cursor.close()
    return response
  }

  /** Told in large steps: small reads of a big blob would be thousands of events. */
  countServed (digest: Digest, bytes: number): void {
    if (this.#served?.digest !== digest) this.#tellServed()
    this.#served ??= { digest, bytes: 0 }
    this.#served.bytes += bytes
    if (this.#served.bytes >= SERVED_EVENT_BYTES) this.#tellServed()
  }

  #tellServed (): void {
    if (this.#served !== undefined) this.#events.emit({ type: 'peer:served', peer: this.#peer, ...this.#served })
    this.#served = undefined
  }

  async end (): Promise<void> {
    this.#tellServed()
    this.#slot?.release()
    await this.cursor.close().catch(() => {})
  }
}

function refusal (id: number, code: ResponseCode): Uint8Array {
  return encodeResponse({ id, code, size: 0, restricted: false, length: 0 })
}
