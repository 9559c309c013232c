import { attestedHash, isSameHash, verifyAttestation, type Attestation } from '../net/swarm-attestation.ts'
import type { Digest } from '../oci/digest.ts'
import { pieceCount } from '../swarm/pieces.ts'

/** Memory for the lists of one blob, in bytes: so much for each piece, within bounds. */
const ROOM_PER_PIECE = 4 * 1024
const MIN_ROOM = 1024 * 1024
const MAX_ROOM = 16 * 1024 * 1024
/** What a list takes beside its bytes, and for each of its pieces. */
const LIST_OVERHEAD = 1024
const PIECE_OVERHEAD = 16

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

/**
 * `wrong`: it is about another blob, or not signed by its author, and whoever brought it answers for that. `dropped`: there is
 * no room for it, or its author has not signed it and who brought it need not have looked; that is nobody's fault.
 */
export type Admission = 'kept' | 'wrong' | 'dropped'

interface Kept {
  readonly attestation: Attestation
  /** Memory it takes. */
  readonly bytes: number
  /** Who brought it first: it counts as theirs. */
  readonly share: Share
  /** All who have brought it. */
  readonly senders: Set<string>
}

/** What one peer takes of the room. */
interface Share {
  readonly lists: Set<Kept>
  bytes: number
}

/**
 * Who vouches for which bytes of one blob: the signed lists of piece hashes, as they came. Where there is no room for all of
 * them, lists of the peer that has brought most give way, so that nobody can crowd out the others.
 */
export class Vouchers {
  readonly #init: VouchersInit
  readonly #room: number
  readonly #bySignature = new Map<string, Kept>()
  readonly #byPiece = new Map<number, Attestation[]>()
  readonly #shares = new Map<string, Share>()
  /** Peers of which not all lists are kept. */
  readonly #curtailed = new Set<string>()
  /** Of pieces that are here: the list whose hash their bytes have. */
  readonly #settled = new Map<number, Attestation>()
  /** Pieces that are here on a word that counts no more, or that nobody remembers: neither the origin's nor anybody's. */
  readonly #orphans = new Set<number>()
  /** Authors whose word counts no more. */
  readonly #discredited = new Set<string>()
  #isEager: boolean
  #bytes = 0

  constructor (init: VouchersInit) {
    this.#init = init
    this.#isEager = init.isEager
    this.#room = Math.min(MAX_ROOM, Math.max(MIN_ROOM, ROOM_PER_PIECE * pieceCount(init.size)))
  }

  /** Memory that all lists take, about, in bytes. */
  get bytes (): number {
    return this.#bytes
  }

  /** @param by - who brings it; ourselves when absent, and then there is room */
  add (attestation: Attestation, by?: string): Admission {
    const { digest, size } = this.#init
    if (attestation.digest !== digest || attestation.size !== size) return 'wrong'
    const key = Buffer.from(attestation.signature).toString('latin1')
    const known = this.#bySignature.get(key)
    if (known !== undefined && Buffer.compare(known.attestation.payload, attestation.payload) === 0) {
      if (by !== undefined) known.senders.add(by)
      return 'kept'
    }
    // a signature fits one list: who puts it under another would keep out the right one
    if (known !== undefined && this.#isForged(attestation)) return this.#forged(by)
    if (known !== undefined) this.#drop(key, known)
    const bytes = attestation.bytes.length + LIST_OVERHEAD + PIECE_OVERHEAD * attestation.pieces.length
    if (by !== undefined && !this.#makeRoom(bytes, by)) {
      this.#curtailed.add(by)
      return 'dropped'
    }
    if (this.#isEager && this.#isForged(attestation)) return this.#forged(by)
    this.#keep(key, attestation, bytes, by ?? '')
    return 'kept'
  }

  /** Whether all lists that this peer has brought are kept. If not, nothing can be said of what it sends. */
  isJudgeable (by: string): boolean {
    return !this.#curtailed.has(by)
  }

  /** Lists about a piece. */
  of (piece: number): readonly Attestation[] {
    return this.#byPiece.get(piece) ?? []
  }

  /** The list that says so and counts: of a trusted author, if there is one. */
  match (piece: number, sha256: Uint8Array): Attestation | undefined {
    const matching = this.#saying(piece, sha256).filter(({ author }) => !this.#discredited.has(author))
    return matching.find(({ author }) => this.#init.isTrusted(author)) ?? matching[0]
  }

  /** Whether any list says so, though it may not count: then who sends such bytes passes on what it got. */
  isAttested (piece: number, sha256: Uint8Array): boolean {
    return this.#saying(piece, sha256).length > 0
  }

  /** The bytes of the piece are here, and this list says so. */
  settle (piece: number, attestation: Attestation): void {
    this.#orphans.delete(piece)
    this.#settled.set(piece, attestation)
  }

  /** What is passed on with a piece. */
  settled (piece: number): Attestation | undefined {
    return this.#settled.get(piece)
  }

  /** Whether the author of its list is one of these. It holds of a piece from the origin too, but not of one for which nobody's word counts. */
  isBy (piece: number, isOneOf: (author: string) => boolean): boolean {
    const author = this.#settled.get(piece)?.author
    return author === undefined ? !this.#orphans.has(piece) : isOneOf(author)
  }

  /** The piece is not here any more. */
  unsettle (piece: number): void {
    this.#orphans.delete(piece)
    this.#settled.delete(piece)
  }

  /** The piece is here, and nobody's word for it counts: until somebody's does, or the whole is right, it may be wrong. */
  orphan (piece: number): void {
    this.#settled.delete(piece)
    this.#orphans.add(piece)
  }

  /** Whether the piece is here though nobody's word for it counts. */
  isOrphan (piece: number): boolean {
    return this.#orphans.has(piece)
  }

  /** The whole is right, and so are the pieces that nobody's word counts for. */
  allRight (): void {
    this.#orphans.clear()
  }

  /** Pieces here on this author's word. */
  piecesOf (author: string): number[] {
    return [...this.#settled].flatMap(([piece, attestation]) => attestation.author === author ? [piece] : [])
  }

  /** Authors on whose word pieces are here. */
  authors (): string[] {
    return [...new Set([...this.#settled.values()].map(({ author }) => author))]
  }

  /**
   * Forgets what its authors have not signed; from now on each list is checked when it comes. Who brought them may have been
   * told so, and is not blamed. @returns the pieces that are here on their word
   */
  dropForged (): number[] {
    if (this.#isEager) return []
    this.#isEager = true
    for (const [key, kept] of [...this.#bySignature]) if (this.#isForged(kept.attestation)) this.#drop(key, kept)
    const forged = new Set([...new Set(this.#settled.values())].filter(attestation => this.#isForged(attestation)))
    const pieces = [...this.#settled].flatMap(([piece, attestation]) => forged.has(attestation) ? [piece] : [])
    for (const piece of pieces) this.orphan(piece)
    return pieces
  }

  /** Nothing that this author says counts any more, nor what is here on its word. Its lists stay: others who passed them on before they knew do not answer for it. */
  discredit (author: string): void {
    this.#discredited.add(author)
    for (const piece of this.piecesOf(author)) this.orphan(piece)
  }

  /** What this author says counts again. */
  credit (author: string): void {
    this.#discredited.delete(author)
  }

  #isForged (attestation: Attestation): boolean {
    return attestation.author !== this.#init.self && !verifyAttestation(attestation)
  }

  #forged (by: string | undefined): Admission {
    if (this.#init.isEager) return 'wrong'
    if (by !== undefined) this.#curtailed.add(by)
    return 'dropped'
  }

  #saying (piece: number, sha256: Uint8Array): Attestation[] {
    return this.of(piece).filter(attestation => isSameHash(attestedHash(attestation, piece), sha256))
  }

  #keep (key: string, attestation: Attestation, bytes: number, by: string): void {
    const share = this.#shares.get(by) ?? { lists: new Set(), bytes: 0 }
    this.#shares.set(by, share)
    const kept: Kept = { attestation, bytes, share, senders: new Set([by]) }
    this.#bySignature.set(key, kept)
    share.lists.add(kept)
    share.bytes += bytes
    this.#bytes += bytes
    for (const piece of attestation.pieces) {
      const list = this.#byPiece.get(piece)
      if (list === undefined) this.#byPiece.set(piece, [attestation])
      else list.push(attestation)
    }
  }

  #drop (key: string, kept: Kept): void {
    const { attestation, bytes, share } = kept
    this.#bySignature.delete(key)
    share.lists.delete(kept)
    share.bytes -= bytes
    this.#bytes -= bytes
    for (const sender of kept.senders) this.#curtailed.add(sender)
    for (const piece of attestation.pieces) this.#byPiece.set(piece, this.of(piece).filter(one => one !== attestation))
  }

  /** @returns whether there is room for so much more of this peer's */
  #makeRoom (bytes: number, by: string): boolean {
    if (this.#bytes + bytes <= this.#room) return true
    let largest: Share | undefined
    for (const share of this.#shares.values()) if (largest === undefined || share.bytes > largest.bytes) largest = share
    if (largest === undefined || (this.#shares.get(by)?.bytes ?? 0) + bytes >= largest.bytes) return false
    const settled = new Set(this.#settled.values())
    for (const kept of [...largest.lists]) {
      // some at once, so that it is not done for each that comes
      if (this.#bytes + bytes <= this.#room * 7 / 8) break
      if (kept.senders.size === 1 && !settled.has(kept.attestation)) this.#drop(Buffer.from(kept.attestation.signature).toString('latin1'), kept)
    }
    return this.#bytes + bytes <= this.#room
  }
}
