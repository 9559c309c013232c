import type { Attestation, PieceHash } from '../net/swarm-attestation.ts'
import { decodeAttestation, verifyAttestation } from '../net/swarm-attestation.ts'
import { MAX_ACCUSATION_LENGTH } from '../net/swarm-limits.ts'
import type { AccuseMessage } from '../net/swarm-message.ts'
import { Accusations, type HeardAccusation } from './accusations.ts'
import { Signing } from './signing.ts'
import { Vouchers, type Admission, type VouchersInit } from './vouchers.ts'

export interface TestimonyParts {
  readonly sign: (hashes: readonly PieceHash[]) => Attestation
  /** sha256 of a held piece. */
  readonly hash: (piece: number) => Promise<Uint8Array>
  /** We vouch for these pieces: members may have them. */
  readonly onOwnWord: (pieces: readonly number[]) => void
}

/** What of an accusation members are told. */
export interface Charge {
  readonly of: string
  readonly piece: number
  /** With the hash that is said to be the right one. */
  readonly attestation: Attestation
  /** What the accused has signed, if it is known and there is room for it. */
  readonly claim?: Attestation
}

/** Who vouches for the pieces of one blob: others, and we for what came from the origin; and who is said to have vouched for wrong ones. */
export class Testimony {
  readonly vouchers: Vouchers
  readonly #self: string
  readonly #sign: (hashes: readonly PieceHash[]) => Attestation
  readonly #signing: Signing
  readonly #accusations: Accusations

  constructor ({ sign, hash, onOwnWord }: TestimonyParts, init: VouchersInit & { readonly self: string }) {
    this.#self = init.self
    this.#sign = sign
    this.vouchers = new Vouchers(init)
    this.#accusations = new Accusations(init)
    this.#signing = new Signing({
      sign,
      hash,
      onSigned: attestation => {
        this.vouchers.add(attestation)
        for (const piece of attestation.pieces) this.#settle(piece, attestation)
        onOwnWord(attestation.pieces)
      }
    })
  }

  /** Pieces that nobody vouches for yet; we do as soon as somebody is there to hear it. */
  get unsigned (): readonly number[] {
    return this.#signing.pieces
  }

  get isIdle (): boolean {
    return this.#signing.isIdle
  }

  /** Somebody is there to hear it. */
  begin (): void {
    if (this.#signing.isDue) this.#signing.begin()
  }

  stop (): void {
    this.#signing.stop()
  }

  /** A piece is here that nobody else vouches for. */
  needs (piece: number): void {
    this.#signing.add(piece)
  }

  /** A piece is here, as this list says. */
  relies (piece: number, attestation: Attestation): void {
    this.vouchers.settle(piece, attestation)
  }

  /** A piece of an earlier fetch that a member gave is here. @param attestation - that says so, if it is known @returns whether somebody vouches for it */
  resumes (piece: number, attestation: Attestation | undefined): boolean {
    if (attestation === undefined || this.vouchers.add(attestation) !== 'kept') {
      this.vouchers.orphan(piece)
      return false
    }
    this.vouchers.settle(piece, attestation)
    return true
  }

  /** A piece is not here after all. */
  lost (piece: number): void {
    this.vouchers.unsettle(piece)
    this.#signing.remove(piece)
  }

  /** The list that covers a piece we hold, signed by us if it is the origin's. @throws RangeError when nobody may vouch for it */
  async vouch (piece: number): Promise<Attestation> {
    const known = this.vouchers.settled(piece)
    if (known !== undefined) return known
    if (!this.vouchers.isOrphan(piece)) await this.#signing.sign(piece)
    const signed = this.vouchers.settled(piece)
    if (signed === undefined) throw new RangeError(`nobody vouches for piece ${piece}`)
    return signed
  }

  /** A list has come. @throws SwarmMessageError when it is none */
  came (by: string, bytes: Uint8Array): Admission {
    const attestation = decodeAttestation(bytes)
    // one of an earlier life of ours is as good as another's; a forged one is nobody's
    if (attestation.author === this.#self && !verifyAttestation(attestation)) return 'dropped'
    return this.vouchers.add(attestation, by)
  }

  /** An accusation has come. @returns undefined: it need not be heard. @throws SwarmMessageError */
  heard (by: string, message: AccuseMessage): HeardAccusation | undefined {
    return this.#accusations.hear(by, message)
  }

  /** Accusations which who holds the whole can judge. */
  get provable (): readonly HeardAccusation[] {
    return this.#accusations.provable
  }

  /** We know the right hash of a piece of which this says a wrong one. @returns undefined: all have been told of its author */
  charge (claim: Attestation, piece: number, sha256: Uint8Array): Charge | undefined {
    return this.#accusations.make(claim.author) ? chargeOf({ of: claim.author, piece, attestation: this.#sign([{ piece, sha256 }]), claim }) : undefined
  }

  /** What somebody else says of an author, who answers for it. @returns undefined: all have been told of the author */
  passOn (charge: Charge): Charge | undefined {
    return this.#accusations.make(charge.of) ? chargeOf(charge) : undefined
  }

  #settle (piece: number, attestation: Attestation): void {
    this.#signing.remove(piece)
    this.vouchers.settle(piece, attestation)
  }
}

/** As it fits into a message. */
function chargeOf ({ of, piece, attestation, claim }: Charge): Charge {
  const hasRoom = claim !== undefined && attestation.bytes.length + claim.bytes.length <= MAX_ACCUSATION_LENGTH
  return { of, piece, attestation, claim: hasRoom ? claim : undefined }
}
