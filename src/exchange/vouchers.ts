import { attestedHash, verifyAttestation, type Attestation } from '../net/swarm-attestation.ts'
import type { Digest } from '../oci/digest.ts'

/** Different lists kept for one piece: as many who lie about it may be heard before the one who does not. */
const MAX_PER_PIECE = 16
/** Bytes of all lists of one blob. */
const MAX_BYTES = 16 * 1024 * 1024

export interface VouchersInit {
  readonly digest: Digest
  /** Bytes of the blob. */
  readonly size: number
  /** Whose word is enough to give bytes to clients. */
  readonly isTrusted: (author: string) => boolean
  /** Check each signature when it comes: where not every member is trusted, whoever passes on a wrong one would answer for it. */
  readonly isEager: boolean
  /** Our own peer id: our own word needs no check. */
  readonly self?: string
}

/** Who vouches for which bytes of one blob: the signed lists of piece hashes, as they came. */
export class Vouchers {
  readonly #init: VouchersInit
  readonly #bySignature = new Map<string, Attestation>()
  readonly #byPiece = new Map<number, Attestation[]>()
  /** Of pieces that are here: the list whose hash their bytes have. */
  readonly #settled = new Map<number, Attestation>()
  #bytes = 0

  constructor (init: VouchersInit) {
    this.#init = init
  }

  /** @returns whether it can be used: it is about this blob, signed by its author, and there is room. */
  add (attestation: Attestation): boolean {
    const { digest, size, isEager, self } = this.#init
    if (attestation.digest !== digest || attestation.size !== size) return false
    const key = Buffer.from(attestation.signature).toString('latin1')
    if (this.#bySignature.has(key)) return true
    if (this.#bytes + attestation.bytes.length > MAX_BYTES) return false
    if (isEager && attestation.author !== self && !verifyAttestation(attestation)) return false
    this.#keep(key, attestation)
    return true
  }

  /** Lists about a piece. */
  of (piece: number): readonly Attestation[] {
    return this.#byPiece.get(piece) ?? []
  }

  /** The list that says so: of a trusted author, if there is one. */
  match (piece: number, sha256: Uint8Array): Attestation | undefined {
    const matching = this.of(piece).filter(attestation => Buffer.compare(attestedHash(attestation, piece) ?? new Uint8Array(), sha256) === 0)
    return matching.find(({ author }) => this.#init.isTrusted(author)) ?? matching[0]
  }

  /** The bytes of the piece are here, and this list says so. */
  settle (piece: number, attestation: Attestation): void {
    this.#settled.set(piece, attestation)
  }

  /** What is passed on with a piece. */
  settled (piece: number): Attestation | undefined {
    return this.#settled.get(piece)
  }

  /** The piece is not here any more. */
  unsettle (piece: number): void {
    this.#settled.delete(piece)
  }

  /** Pieces here on this author's word. */
  piecesOf (author: string): number[] {
    return [...this.#settled].flatMap(([piece, attestation]) => attestation.author === author ? [piece] : [])
  }

  /** Authors on whose word pieces are here. */
  authors (): string[] {
    return [...new Set([...this.#settled.values()].map(({ author }) => author))]
  }

  /** Nothing that this author says counts any more. */
  forget (author: string): void {
    for (const [key, attestation] of this.#bySignature) {
      if (attestation.author !== author) continue
      this.#bySignature.delete(key)
      this.#bytes -= attestation.bytes.length
    }
    for (const [piece, list] of this.#byPiece) this.#byPiece.set(piece, list.filter(attestation => attestation.author !== author))
    for (const piece of this.piecesOf(author)) this.#settled.delete(piece)
  }

  #keep (key: string, attestation: Attestation): void {
    this.#bySignature.set(key, attestation)
    this.#bytes += attestation.bytes.length
    for (const piece of attestation.pieces) {
      const list = this.#byPiece.get(piece)
      if (list === undefined) this.#byPiece.set(piece, [attestation])
      else if (list.length < MAX_PER_PIECE) list.push(attestation)
    }
  }
}
