import type { PieceMessage } from '../net/swarm-message.ts'
import type { PartialBlob } from '../store/store.ts'
import { pieceSpan } from '../swarm/pieces.ts'

/** A piece on its way from one member. */
interface Incoming {
  readonly member: string
  readonly piece: number
  /** Bytes of it that came. */
  received: number
  /** Where its bytes go while another member's go to the disk; undefined for the one whose do. */
  readonly buffer: Uint8Array | undefined
  /** What the disk has not taken yet; never rejected. */
  pending: Promise<void> | undefined
  failure: unknown
}

/**
 * Puts the chunks of pieces where they belong. Of a piece that two members send, the first one's bytes go straight to the disk
 * and the other's wait in memory; whoever is first to send all of it has sent it.
 */
export class PieceInbox {
  readonly #partial: PartialBlob
  readonly #size: number
  readonly #torn: ReadonlyMap<number, number>
  readonly #incoming = new Map<string, Incoming>()
  /** Pieces whose bytes are being taken off the disk again. */
  readonly #erasing = new Map<number, Promise<void>>()

  /** @param torn - leading bytes of pieces that are here already, from the origin, and stay */
  constructor (partial: PartialBlob, size: number, torn: ReadonlyMap<number, number>) {
    this.#partial = partial
    this.#size = size
    this.#torn = torn
  }

  /** Takes a chunk, which is lent. @returns whether it fits and, if so, whether it was the last of the piece */
  take (member: string, { piece, offset: chunkAt, length }: PieceMessage, bytes: Uint8Array, offset: number): 'refused' | 'more' | 'complete' {
    const { start, end } = pieceSpan(this.#size, piece)
    const key = `${member} ${piece}`
    const incoming = this.#incoming.get(key) ?? this.#begin(member, piece)
    if (chunkAt + offset !== incoming.received || chunkAt + length > end - start) return 'refused'
    this.#write(incoming, start + incoming.received, bytes)
    incoming.received += bytes.length
    return incoming.received === end - start ? 'complete' : 'more'
  }

  /** Whether bytes of the piece are on their way to the disk. */
  isComing (piece: number): boolean {
    return this.#writer(piece) !== undefined || this.#erasing.has(piece)
  }

  /** All of the piece has come from this member: resolves when it is with the store. @throws what the store throws */
  async finish (member: string, piece: number): Promise<void> {
    const incoming = this.#incoming.get(`${member} ${piece}`)
    if (incoming === undefined) throw new RangeError(`piece ${piece} is not coming from ${member}`)
    for (const other of [...this.#incoming.values()]) {
      if (other.piece === piece && other !== incoming) await this.#forget(other)
    }
    await incoming.pending
    if (incoming.buffer !== undefined) {
      await this.#erasing.get(piece)
      const skip = this.#torn.get(piece) ?? 0
      await this.#partial.write(pieceSpan(this.#size, piece).start + skip, incoming.buffer.subarray(skip), `peer:${member}`)
    }
    this.#incoming.delete(`${member} ${piece}`)
    if (incoming.failure !== undefined) throw incoming.failure as Error
  }

  /** The member sends no more of the piece, or of any. What has come whole is left to `finish`. */
  drop (member: string, piece?: number): void {
    for (const incoming of [...this.#incoming.values()]) {
      if (incoming.member !== member || (piece !== undefined && piece !== incoming.piece) || this.#isWhole(incoming)) continue
      this.#forget(incoming).catch(() => {})
    }
  }

  /** Nobody sends more of any piece that has not come whole. @returns what had begun to come */
  dropAll (): Array<{ readonly member: string, readonly piece: number }> {
    const dropped = [...this.#incoming.values()].filter(incoming => !this.#isWhole(incoming))
    for (const incoming of dropped) this.#forget(incoming).catch(() => {})
    return dropped
  }

  /** Resolves when nothing is being taken off the disk any more. */
  async erased (): Promise<void> {
    await Promise.allSettled(this.#erasing.values())
  }

  /**
   * Takes a whole piece off the disk again.
   * @param written - what is on its way there
   */
  async erase (piece: number, written?: Promise<void>): Promise<void> {
    const { start, end } = pieceSpan(this.#size, piece)
    const erasing = Promise.all([this.#erasing.get(piece), written]).then(async () => this.#partial.erase({ start: start + (this.#torn.get(piece) ?? 0), end }))
    this.#erasing.set(piece, erasing)
    try {
      await erasing
    } finally {
      if (this.#erasing.get(piece) === erasing) this.#erasing.delete(piece)
    }
  }

  #begin (member: string, piece: number): Incoming {
    const { start, end } = pieceSpan(this.#size, piece)
    const incoming: Incoming = {
      member,
      piece,
      received: 0,
      buffer: this.isComing(piece) ? new Uint8Array(end - start) : undefined,
      pending: undefined,
      failure: undefined
    }
    this.#incoming.set(`${member} ${piece}`, incoming)
    return incoming
  }

  #write (incoming: Incoming, at: number, chunk: Uint8Array): void {
    const { buffer, member, received, piece } = incoming
    if (buffer !== undefined) {
      buffer.set(chunk, received)
      return
    }
    const skip = Math.min(chunk.length, Math.max(0, (this.#torn.get(piece) ?? 0) - received))
    const position = at + skip
    const bytes = chunk.subarray(skip)
    if (bytes.length === 0) return
    try {
      if (incoming.pending === undefined && this.#partial.tryWrite(position, bytes, `peer:${member}`)) return
    } catch (error) {
      incoming.failure ??= error
      return
    }
    const copy = new Uint8Array(bytes)
    const write = async (): Promise<void> => {
      if (incoming.failure !== undefined) return
      try {
        await this.#partial.write(position, copy, `peer:${member}`)
      } catch (error) {
        incoming.failure = error
      }
    }
    const pending: Promise<void> = (incoming.pending ?? Promise.resolve()).then(write).then(() => {
      if (incoming.pending === pending) incoming.pending = undefined
    })
    incoming.pending = pending
  }

  #writer (piece: number): Incoming | undefined {
    for (const incoming of this.#incoming.values()) {
      if (incoming.piece === piece && incoming.buffer === undefined) return incoming
    }
    return undefined
  }

  async #forget (incoming: Incoming): Promise<void> {
    this.#incoming.delete(`${incoming.member} ${incoming.piece}`)
    if (incoming.buffer !== undefined || incoming.received === 0) return
    // nothing more of it is written behind what is erased
    incoming.failure ??= new RangeError(`piece ${incoming.piece} is forgotten`)
    await this.erase(incoming.piece, incoming.pending)
  }

  #isWhole ({ piece, received }: Incoming): boolean {
    const { start, end } = pieceSpan(this.#size, piece)
    return received === end - start
  }
}
