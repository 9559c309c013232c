import type { Attestation, PieceHash } from '../net/swarm-attestation.ts'

/** Hashes signed together at the most. */
const MAX_SIGNED_TOGETHER = 256

export interface SigningParts {
  readonly sign: (hashes: readonly PieceHash[]) => Attestation
  /** sha256 of a held piece. */
  readonly hash: (piece: number) => Promise<Uint8Array>
  /** Our word for these pieces: others may have them now. */
  readonly onSigned: (attestation: Attestation) => void
}

/** Held pieces that nobody vouches for yet: hashed and signed when somebody is there to hear it, some at a time. */
export class Signing {
  readonly #parts: SigningParts
  readonly #waiting = new Set<number>()
  /** Those that are being hashed. */
  readonly #hashing = new Set<number>()
  #running: Promise<void> | undefined
  #isStopped = false

  constructor (parts: SigningParts) {
    this.#parts = parts
  }

  /** Pieces that will be signed, if somebody wants them. */
  get pieces (): readonly number[] {
    return [...this.#hashing, ...this.#waiting]
  }

  /** Whether some wait until `begin`. */
  get isDue (): boolean {
    return this.#waiting.size > 0
  }

  get isIdle (): boolean {
    return this.#waiting.size === 0 && this.#hashing.size === 0
  }

  /** Nobody vouches for the piece, which is here. */
  add (piece: number): void {
    this.#waiting.add(piece)
  }

  /** Somebody vouches for it, or it is not here any more: what is being hashed of it is not signed. */
  remove (piece: number): void {
    this.#waiting.delete(piece)
    this.#hashing.delete(piece)
  }

  /** Signs all that wait. */
  begin (): void {
    this.#running ??= this.#run().finally(() => { this.#running = undefined })
  }

  /** Signs one piece, whether it waits or not, unless it is removed meanwhile. */
  async sign (piece: number): Promise<void> {
    this.#waiting.delete(piece)
    await this.#sign([piece])
  }

  stop (): void {
    this.#isStopped = true
  }

  async #run (): Promise<void> {
    while (this.#waiting.size > 0 && !this.#isStopped) {
      const pieces = [...this.#waiting].slice(0, MAX_SIGNED_TOGETHER).sort((a, b) => a - b)
      for (const piece of pieces) this.#waiting.delete(piece)
      await this.#sign(pieces)
    }
  }

  async #sign (pieces: readonly number[]): Promise<void> {
    const { hash, sign, onSigned } = this.#parts
    for (const piece of pieces) this.#hashing.add(piece)
    const hashed = await Promise.allSettled(pieces.map(async piece => ({ piece, sha256: await hash(piece) })))
    const hashes = hashed.flatMap(result => result.status === 'fulfilled' && this.#hashing.has(result.value.piece) ? [result.value] : [])
    for (const piece of pieces) this.#hashing.delete(piece)
    if (hashes.length > 0) onSigned(sign(hashes))
  }
}
