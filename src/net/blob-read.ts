import type { Digest } from '../oci/digest.ts'
import type { BlobConversation } from './blob-conversation.ts'
import type { BlobResponse } from './blob-protocol.ts'
import type { IntakePace } from './pace.ts'
import { PeerError } from './peer-error.ts'
import type { ContentKind, ContentRead } from './peers.ts'
import { abortable } from '../shared-work.ts'
import { WaitBudget } from './wait-budget.ts'

/** Bytes of one request; docs/protocol.md says what was measured. */
export const DEFAULT_CHUNK_BYTES = 256 * 1024
/** Requests on their way at a time. */
export const DEFAULT_WINDOW_CHUNKS = 4
/** What is read of content up to this size goes before all else. */
const SMALL_BYTES = 1024 * 1024
/** A body that nobody begins to take within this time is given up: an iteration never begun cannot end its stream. */
const UNTAKEN_TIMEOUT_MS = 30_000

export interface BlobReadTarget {
  readonly peer: string
  readonly kind: ContentKind
  readonly digest: Digest
  readonly start: number
}

export interface BlobReadInit {
  converse (): Promise<BlobConversation>
  /** Called once, when the stream is free again. */
  onEnd (): void
  readonly firstByteTimeoutMs: number
  readonly chunkTimeoutMs: number
  readonly chunkBytes: number
  readonly windowChunks: number
  /** How fast bytes may come. @default as fast as they do */
  readonly intake?: IntakePace
  readonly signal?: AbortSignal
}

/**
 * One read of a blob from one peer, to its end: a window of requests moves over the blob, and the next is sent when
 * the consumer has taken a chunk, so the window is all that is ever buffered. Holds one stream from `begin` until the
 * body ends, is left, or the signal aborts.
 */
export class BlobRead {
  readonly #target: BlobReadTarget
  readonly #init: BlobReadInit
  #conversation: BlobConversation | undefined
  #hasEnded = false
  #untakenTimer: NodeJS.Timeout | undefined
  #size = 0
  #restricted = false
  /** Where the next request starts. */
  #asked: number
  /** Where the next byte to deliver lies. */
  #position: number

  constructor (target: BlobReadTarget, init: BlobReadInit) {
    this.#target = target
    this.#init = init
    this.#asked = target.start
    this.#position = target.start
  }

  /** Asks for the first chunk and waits for its header. */
  async begin (): Promise<ContentRead> {
    try {
      this.#init.signal?.addEventListener('abort', this.#onAbort, { once: true })
      this.#conversation = await this.#init.converse()
      const { peer, start } = this.#target
      await this.#ask(this.#init.chunkBytes)
      const first = await this.#conversation.response(new WaitBudget('the first answer to a read', this.#init.firstByteTimeoutMs))
      this.#accept(first)
      this.#size = first.size
      this.#restricted = first.restricted
      this.#expectLength(first, Math.min(this.#init.chunkBytes, first.size - start))
      this.#asked = start + first.length
      if (first.size === start) this.#end()
      else this.#untakenTimer = setTimeout(() => { this.#end(new PeerError('PEER_GONE', peer, 'is not wanted after all')) }, UNTAKEN_TIMEOUT_MS)
      return { peer, size: first.size, restricted: first.restricted, body: this.#body(first) }
    } catch (error) {
      this.#end(error as Error)
      this.#init.signal?.throwIfAborted()
      throw error
    }
  }

  async * #body (first: BlobResponse): AsyncGenerator<Uint8Array> {
    clearTimeout(this.#untakenTimer)
    let failure: Error | undefined = new PeerError('PEER_GONE', this.#target.peer, 'is no longer needed')
    try {
      let budget = this.#chunkBudget()
      for (let length = first.length; length > 0; length = await this.#nextHeader(budget)) {
        await this.#fillWindow()
        yield * this.#chunk(length, budget)
        budget = this.#chunkBudget()
      }
      failure = undefined
    } catch (error) {
      failure = error as Error
      this.#init.signal?.throwIfAborted()
      throw error
    } finally {
      this.#end(failure)
    }
  }

  async * #chunk (length: number, budget: WaitBudget): AsyncGenerator<Uint8Array> {
    const end = this.#position + length
    while (this.#position < end) {
      const bytes = await this.#open().body(end - this.#position, budget)
      this.#position += bytes.byteLength
      const { intake } = this.#init
      const mayGoOn = intake === undefined || intake.came(bytes.byteLength)
      yield bytes
      if (!mayGoOn && this.#position < this.#size) await this.#turn(intake)
    }
  }

  /** Ours to wait, so no time runs against the peer. */
  async #turn (intake: IntakePace): Promise<void> {
    const { signal } = this.#init
    const { promise, resolve } = Promise.withResolvers<void>()
    const giveUp = intake.turn(resolve, { isUrgent: this.#target.kind === 'manifest' || this.#size <= SMALL_BYTES })
    try {
      await abortable(promise, signal)
    } finally {
      giveUp()
    }
  }

  /** @returns the length of the next body; 0 at the end of the blob */
  async #nextHeader (budget: WaitBudget): Promise<number> {
    if (this.#position === this.#size) return 0
    await this.#fillWindow()
    const response = await this.#open().response(budget)
    this.#accept(response)
    if (response.size !== this.#size || response.restricted !== this.#restricted) {
      throw this.#violation(`first said ${describe(this.#size, this.#restricted)}, then ${describe(response.size, response.restricted)}`)
    }
    this.#expectLength(response, Math.min(this.#init.chunkBytes, this.#size - this.#position))
    return response.length
  }

  async #fillWindow (): Promise<void> {
    const windowBytes = this.#init.chunkBytes * this.#init.windowChunks
    while (this.#asked < this.#size && this.#asked - this.#position < windowBytes) {
      const length = Math.min(this.#init.chunkBytes, this.#size - this.#asked)
      await this.#ask(length)
      this.#asked += length
    }
  }

  async #ask (length: number): Promise<void> {
    const { kind, digest } = this.#target
    await this.#open().read(kind, digest, this.#asked, length)
  }

  /** Runs only while we wait for the peer, not while our consumer takes its time. */
  #chunkBudget (): WaitBudget {
    return new WaitBudget('a chunk of a read', this.#init.chunkTimeoutMs)
  }

  #accept (response: BlobResponse): void {
    const { peer, digest, start } = this.#target
    switch (response.code) {
      case 'ok':
        if (response.size < start) throw this.#violation(`gives ${response.size} bytes of ${digest} from ${start}`)
        return
      case 'missing': throw new PeerError('PEER_MISSING', peer, `does not have ${digest}`)
      case 'denied': throw new PeerError('PEER_DENIED', peer, `does not give ${digest}`)
      case 'busy': throw new PeerError('PEER_BUSY', peer, 'is busy')
      // Its blob ends before `start`, or it refuses what the protocol allows: its word for the size differs from what we go by.
      case 'bad-request': throw this.#violation(`refused to read ${digest} from ${start}`)
    }
  }

  #expectLength (response: BlobResponse, expected: number): void {
    if (response.length !== expected) throw this.#violation(`announced ${response.length} bytes where ${expected} were asked for`)
  }

  #violation (what: string): PeerError {
    return new PeerError('PEER_PROTOCOL', this.#target.peer, what)
  }

  #open (): BlobConversation {
    if (this.#conversation === undefined) throw new TypeError('the read has not begun')
    return this.#conversation
  }

  readonly #onAbort = (): void => {
    this.#end(this.#init.signal?.reason as Error)
  }

  #end (failure?: Error): void {
    if (this.#hasEnded) return
    this.#hasEnded = true
    clearTimeout(this.#untakenTimer)
    this.#init.signal?.removeEventListener('abort', this.#onAbort)
    if (failure === undefined) this.#conversation?.close()
    else this.#conversation?.abort(failure)
    this.#init.onEnd()
  }
}

function describe (size: number, restricted: boolean): string {
  return `${size} bytes${restricted ? ', restricted' : ''}`
}
