import type { Stream } from '@libp2p/interface'
import type { Digest } from '../oci/digest.ts'
import { BlobConversation } from './blob-conversation.ts'
import { BlobRead, DEFAULT_CHUNK_BYTES, DEFAULT_WINDOW_CHUNKS } from './blob-read.ts'
import { IdleConversations } from './idle-conversations.ts'
import type { IntakePace } from './pace.ts'
import { PeerError } from './peer-error.ts'
import type { ContentKind, ContentRead, Holding, PeerContent, PeerRequestOptions } from './peers.ts'
import { SlotPool, type Slot } from './slot-pool.ts'
import { WaitBudget } from './wait-budget.ts'

const DEFAULT_DIAL_TIMEOUT_MS = 3_000
const DEFAULT_OPEN_TIMEOUT_MS = 1_000
const DEFAULT_HAVE_TIMEOUT_MS = 1_000
const DEFAULT_FIRST_BYTE_TIMEOUT_MS = 3_000
const DEFAULT_CHUNK_TIMEOUT_MS = 8_000
const DEFAULT_CLOSE_TIMEOUT_MS = 1_000
const DEFAULT_SLOT_TIMEOUT_MS = 3_000
const DEFAULT_MAX_STREAMS_PER_PEER = 24
const DEFAULT_MAX_STREAMS = 256
const MAX_QUEUED = 1_024

/** How the client reaches peers; the libp2p node, or a test. */
export interface BlobDialler {
  neighbours (): string[]
  isConnected (peer: string): boolean
  /** A stream of the blob protocol, dialling the peer if need be. */
  openStream (peer: string, options: { signal: AbortSignal }): Promise<Stream>
}

export interface BlobClientComponents {
  readonly dialler: BlobDialler
  /** How fast bytes may come. @default as fast as they do */
  readonly intake?: IntakePace
}

export interface BlobClientInit {
  /** From asking for a connection to a stream of a peer not connected. @default 3000 */
  readonly dialTimeoutMs?: number
  /** The same for a connected peer. @default 1000 */
  readonly openTimeoutMs?: number
  /** From `have?` to its answer. @default 1000 */
  readonly haveTimeoutMs?: number
  /** From the first request of a read to its answer. @default 3000 */
  readonly firstByteTimeoutMs?: number
  /** How long we wait, in all, for the bytes of one requested chunk. @default 8000 */
  readonly chunkTimeoutMs?: number
  /** How long a stream may take to end before it is aborted. @default 1000 */
  readonly closeTimeoutMs?: number
  /** How long a request waits for one of our own streams to become free. @default 3000 */
  readonly slotTimeoutMs?: number
  /** Streams to one peer at a time. @default 24 */
  readonly maxStreamsPerPeer?: number
  /** Streams in all. @default 256 */
  readonly maxStreams?: number
  /** Bytes of one request. @default 262144 */
  readonly chunkBytes?: number
  /** Requests on their way at a time: their bytes are all a read buffers. @default 4 */
  readonly windowChunks?: number
}

/** Asks other agents for content. Owns its streams and their deadlines; verifies nothing and retries nothing. */
export class BlobClient implements PeerContent {
  readonly #dialler: BlobDialler
  readonly #intake: IntakePace | undefined
  readonly #init: Required<BlobClientInit>
  readonly #slots: SlotPool
  readonly #idle = new IdleConversations()

  constructor (components: BlobClientComponents, init: BlobClientInit = {}) {
    this.#dialler = components.dialler
    this.#intake = components.intake
    this.#init = {
      dialTimeoutMs: init.dialTimeoutMs ?? DEFAULT_DIAL_TIMEOUT_MS,
      openTimeoutMs: init.openTimeoutMs ?? DEFAULT_OPEN_TIMEOUT_MS,
      haveTimeoutMs: init.haveTimeoutMs ?? DEFAULT_HAVE_TIMEOUT_MS,
      firstByteTimeoutMs: init.firstByteTimeoutMs ?? DEFAULT_FIRST_BYTE_TIMEOUT_MS,
      chunkTimeoutMs: init.chunkTimeoutMs ?? DEFAULT_CHUNK_TIMEOUT_MS,
      closeTimeoutMs: init.closeTimeoutMs ?? DEFAULT_CLOSE_TIMEOUT_MS,
      slotTimeoutMs: init.slotTimeoutMs ?? DEFAULT_SLOT_TIMEOUT_MS,
      maxStreamsPerPeer: init.maxStreamsPerPeer ?? DEFAULT_MAX_STREAMS_PER_PEER,
      maxStreams: init.maxStreams ?? DEFAULT_MAX_STREAMS,
      chunkBytes: init.chunkBytes ?? DEFAULT_CHUNK_BYTES,
      windowChunks: init.windowChunks ?? DEFAULT_WINDOW_CHUNKS
    }
    this.#slots = new SlotPool({ maxPerKey: this.#init.maxStreamsPerPeer, max: this.#init.maxStreams, maxQueued: MAX_QUEUED })
  }

  neighbours (): string[] {
    return this.#dialler.neighbours()
  }

  async have (peer: string, kind: ContentKind, digest: Digest, { signal }: PeerRequestOptions = {}): Promise<Holding | undefined> {
    const { slot, conversation: idle } = await this.#place(peer, signal)
    let isKept = false
    try {
      const conversation = idle ?? await this.#converse(peer, signal)
      const { code, size, restricted } = await whileWanted(conversation, signal, async () => {
        await conversation.have(kind, digest)
        return conversation.response(new WaitBudget('a have?', this.#init.haveTimeoutMs))
      })
      // what it has is most likely read next
      isKept = code === 'ok'
      if (isKept) this.#idle.put(peer, { conversation, slot })
      else conversation.close()
      if (code === 'busy') throw new PeerError('PEER_BUSY', peer, 'is busy')
      if (code === 'bad-request') throw new PeerError('PEER_PROTOCOL', peer, 'refused a valid request')
      return isKept ? { peer, size, restricted } : undefined
    } finally {
      if (!isKept) slot.release()
    }
  }

  async read (peer: string, kind: ContentKind, digest: Digest, start: number, { signal }: PeerRequestOptions = {}): Promise<ContentRead> {
    const { slot, conversation: idle } = await this.#place(peer, signal)
    const read = new BlobRead({ peer, kind, digest, start }, {
      ...this.#init,
      intake: this.#intake,
      converse: async () => idle ?? this.#converse(peer, signal),
      onEnd: () => { slot.release() },
      signal
    })
    return read.begin()
  }

  /** A place among our streams, with a conversation that is open already if there is one. */
  async #place (peer: string, signal: AbortSignal | undefined): Promise<{ slot: Slot, conversation?: BlobConversation }> {
    signal?.throwIfAborted()
    return this.#idle.take(peer) ?? { slot: this.#slots.tryTake(peer) ?? await this.#slot(peer, signal) }
  }

  async #slot (peer: string, signal: AbortSignal | undefined): Promise<Slot> {
    this.#idle.clear()
    const slot = await this.#slots.take(peer, this.#init.slotTimeoutMs, { signal })
    if (slot === undefined) throw new PeerError('PEER_BUSY', peer, 'has all the streams we allow')
    return slot
  }

  async #converse (peer: string, signal: AbortSignal | undefined): Promise<BlobConversation> {
    const timeoutMs = this.#dialler.isConnected(peer) ? this.#init.openTimeoutMs : this.#init.dialTimeoutMs
    const timeout = AbortSignal.timeout(timeoutMs)
    let stream
    try {
      stream = await this.#dialler.openStream(peer, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) })
    } catch (error) {
      signal?.throwIfAborted()
      const reason = timeout.aborted ? `no stream within ${timeoutMs} ms` : messageOf(error)
      throw new PeerError('PEER_UNREACHABLE', peer, `could not be reached: ${reason}`, { cause: error })
    }
    const conversation = new BlobConversation(peer, stream, {
      windowBytes: this.#init.chunkBytes * this.#init.windowChunks,
      sendTimeoutMs: this.#init.firstByteTimeoutMs,
      closeTimeoutMs: this.#init.closeTimeoutMs
    })
    if (signal?.aborted === true) {
      conversation.abort(signal.reason as Error)
      signal.throwIfAborted()
    }
    return conversation
  }
}

/** Runs one exchange; the stream is freed at once when it fails or the signal aborts. */
async function whileWanted<T> (conversation: BlobConversation, signal: AbortSignal | undefined, exchange: () => Promise<T>): Promise<T> {
  const onAbort = (): void => { conversation.abort(signal?.reason as Error) }
  signal?.addEventListener('abort', onAbort, { once: true })
  try {
    return await exchange()
  } catch (error) {
    signal?.throwIfAborted()
    conversation.abort(error as Error)
    throw error
  } finally {
    signal?.removeEventListener('abort', onAbort)
  }
}

function messageOf (error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
