import type { Stream } from '@libp2p/interface'
import { decodeResponse, encodeRequest, MAX_MESSAGE_LENGTH, type BlobResponse } from './blob-protocol.ts'
import type { Digest } from '../oci/digest.ts'
import type { ContentKind } from './peers.ts'
import { PeerError, type PeerErrorCode } from './peer-error.ts'
import { StreamChannel } from './stream-io.ts'
import { WaitBudget } from './wait-budget.ts'

/** Bytes of headers the answers of a window may add to their bodies. */
const HEADERS_ALLOWANCE = 64 * 1024

export interface BlobConversationInit {
  /** Bytes of body that may be asked for and not yet taken. */
  readonly windowBytes: number
  /** How long the peer may take to accept a request. */
  readonly sendTimeoutMs: number
  /** How long the stream may take to end. */
  readonly closeTimeoutMs: number
}

/** The asking side of one stream: requests out, their answers in, in order. Every failure is a `PeerError` that says what the peer did. */
export class BlobConversation {
  readonly #peer: string
  readonly #channel: StreamChannel
  readonly #init: BlobConversationInit
  /** Ids of what is asked and not answered, oldest first. */
  readonly #asked: number[] = []
  #lastId = 0

  constructor (peer: string, stream: Stream, init: BlobConversationInit) {
    this.#peer = peer
    this.#init = init
    this.#channel = new StreamChannel(stream, { maxBufferedBytes: init.windowBytes + HEADERS_ALLOWANCE })
  }

  /** All that was asked is answered, and the peer is still there as far as we know. */
  get isUsable (): boolean {
    return this.#asked.length === 0 && this.#channel.isOpen
  }

  async have (kind: ContentKind, digest: Digest): Promise<void> {
    await this.#ask(id => encodeRequest({ operation: 'have', id, kind, digest }))
  }

  async read (kind: ContentKind, digest: Digest, start: number, length: number): Promise<void> {
    await this.#ask(id => encodeRequest({ operation: 'read', id, kind, digest, start, length }))
  }

  /** The answer to the oldest request. */
  async response (budget: WaitBudget): Promise<BlobResponse> {
    const expected = this.#asked.shift()
    const response = await this.#blaming(async () => {
      const message = await this.#channel.readMessage(MAX_MESSAGE_LENGTH, budget)
      return message === undefined ? undefined : decodeResponse(message)
    })
    if (response === undefined) throw new PeerError('PEER_GONE', this.#peer, 'ended the stream without an answer')
    if (response.id !== expected) throw new PeerError('PEER_PROTOCOL', this.#peer, `answered request ${response.id} instead of ${expected}`)
    return response
  }

  /** At least one and at most `maxBytes` bytes of the body that is next. */
  async body (maxBytes: number, budget: WaitBudget): Promise<Uint8Array> {
    return this.#blaming(async () => this.#channel.read(maxBytes, budget))
  }

  /** Ends the stream; at once unless all that was asked has been answered. */
  close (): void {
    if (this.#asked.length > 0) this.abort(new PeerError('PEER_GONE', this.#peer, 'is no longer needed'))
    else this.#channel.close(this.#init.closeTimeoutMs).catch(() => {})
  }

  /** Frees the stream at once. */
  abort (reason: Error): void {
    this.#channel.abort(reason)
  }

  async #ask (encode: (id: number) => Uint8Array): Promise<void> {
    const id = ++this.#lastId
    this.#asked.push(id)
    await this.#blaming(async () => { await this.#channel.send(encode(id), new WaitBudget('sending a request', this.#init.sendTimeoutMs)) })
  }

  async #blaming<T> (action: () => Promise<T>): Promise<T> {
    try {
      return await action()
    } catch (error) {
      throw asPeerError(this.#peer, error)
    }
  }
}

const CODES: Readonly<Record<string, PeerErrorCode>> = {
  DEADLINE: 'PEER_STALLED',
  STREAM_ENDED: 'PEER_GONE',
  STREAM_CUT: 'PEER_GONE',
  STREAM_OVERFLOW: 'PEER_PROTOCOL',
  STREAM_FRAMING: 'PEER_PROTOCOL',
  BLOB_MESSAGE_INVALID: 'PEER_PROTOCOL'
}

/** Unknown errors pass as they are: an abort's reason, or a fault of ours. */
function asPeerError (peer: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? CODES[String(error.code)] : undefined
  return code === undefined ? error : new PeerError(code, peer, `failed: ${(error as Error).message}`, { cause: error })
}
