import type { Bitfield } from '../../src/swarm/bitfield.ts'
import { pieceSpan } from '../../src/swarm/pieces.ts'

/** SHA-256 of what has come: 1.4 GB/s. */
export const HASH_BYTES_PER_MS = 1.4e6

export interface InOrderInit {
  /** Of the blob. */
  readonly bytes: number
  /** Pieces that are here. */
  readonly held: Bitfield
  /** Of these the ones that a client may have before the whole is known to be right. */
  readonly released: Bitfield
  /** The client has had a piece, of so many bytes. */
  readonly onRead: (piece: number, bytes: number) => void
  /** The client waits at another piece now. */
  readonly onHead: (piece: number) => void
}

/** What goes through a blob from its first byte on, whatever order its pieces come in: the hash of the whole, and the client. */
export class InOrder {
  readonly #init: InOrderInit
  /** The first piece that the hash waits for. */
  #edge = 0
  #hashedAtMs = 0
  /** The first piece that the client waits for. */
  #head = 0

  constructor (init: InOrderInit) {
    this.#init = init
  }

  /** When the hash is at the first gap, in milliseconds. */
  get hashedAtMs (): number {
    return this.#hashedAtMs
  }

  begin (nowMs: number): void {
    this.#hashOn(nowMs)
    this.#readOn()
    this.#init.onHead(this.#head)
  }

  /** Pieces have come. */
  goOn (nowMs: number): void {
    this.#hashOn(nowMs)
    if (this.#readOn()) this.#init.onHead(this.#head)
  }

  /** These pieces are not here after all. */
  lost (pieces: readonly number[]): void {
    const before = this.#head
    this.#head = Math.min(this.#head, ...pieces)
    this.#edge = Math.min(this.#edge, ...pieces)
    if (this.#head !== before) this.#init.onHead(this.#head)
  }

  /** What has come behind a gap is hashed when the gap is closed. */
  #hashOn (nowMs: number): void {
    const { bytes, held } = this.#init
    const edge = held.nextLacking(this.#edge)
    if (edge === this.#edge) return
    const hashed = pieceSpan(bytes, edge - 1).end - pieceSpan(bytes, this.#edge).start
    this.#hashedAtMs = Math.max(this.#hashedAtMs, nowMs) + hashed / HASH_BYTES_PER_MS
    this.#edge = edge
  }

  /** The client reads as far as it may. @returns whether it has read anything */
  #readOn (): boolean {
    const { bytes, held, released, onRead } = this.#init
    const before = this.#head
    for (; this.#head < held.length && held.has(this.#head) && released.has(this.#head); this.#head++) {
      const { start, end } = pieceSpan(bytes, this.#head)
      onRead(this.#head, end - start)
    }
    return this.#head !== before
  }
}
