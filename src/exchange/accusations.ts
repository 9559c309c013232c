import { attestedHash, decodeAttestation, saysTheSame, verifyAttestation, type Attestation } from '../net/swarm-attestation.ts'
import { SwarmMessageError, type AccuseMessage } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'

/** Accusations about one blob that are heard from one peer. */
const MAX_OF_PEER = 4
/** Accusations about one blob that are heard at all, or made. */
const MAX_IN_ALL = 32

/**
 * Somebody says that a signer signed wrong hashes. A hint where to look: a liar says it as easily. Whoever made the attestation answers
 * for it if it turns out to be the wrong one. A proof it is with the claim, and only for who holds the whole.
 */
export interface Accusation {
  /** Who told us. */
  readonly by: string
  /** The accused. */
  readonly of: string
  /** At least one. */
  readonly pieces: readonly number[]
  /** Other hashes of these pieces, signed by somebody who says that they are the right ones. */
  readonly attestation: Attestation
  /** What the accused has signed of these pieces, with a hash of each that is not the one above. */
  readonly claim?: Attestation
}

export interface HeardAccusation extends Accusation {
  /** Somebody has accused it before, over the same blob. */
  readonly isRepeated: boolean
}

/** The accusations about one blob: what is heard, which is checked before it is believed to be said, and what we say; both within bounds. */
export class Accusations {
  readonly #digest: Digest
  readonly #size: number
  readonly #heard = new Map<string, number>()
  /** Those heard, as many pass on the same. */
  readonly #known = new Set<string>()
  readonly #accused = new Set<string>()
  readonly #made = new Set<string>()
  readonly #provable: HeardAccusation[] = []
  #count = 0

  constructor ({ digest, size }: { readonly digest: Digest, readonly size: number }) {
    this.#digest = digest
    this.#size = size
  }

  /**
   * @returns undefined when enough were heard, or the same from another, or nobody else is accused
   * @throws SwarmMessageError when one of its attestations is not about these pieces, or not its author's, or both say the same
   */
  hear (by: string, { of, pieces, attestation: bytes, claim: claimBytes }: AccuseMessage): HeardAccusation | undefined {
    const key = `${of} ${pieces.join(' ')} ${textOf(bytes)} ${claimBytes === undefined ? '' : textOf(claimBytes)}`
    if (this.#known.has(key)) return undefined
    const heard = this.#heard.get(by) ?? 0
    if (heard === MAX_OF_PEER || this.#count === MAX_IN_ALL) return undefined
    this.#heard.set(by, heard + 1)
    this.#count++
    const attestation = this.#read(bytes, pieces)
    const claim = claimBytes === undefined ? undefined : this.#read(claimBytes, pieces)
    if (claim !== undefined && (claim.author !== of || pieces.some(piece => saysTheSame(claim, attestation, piece)))) {
      throw new SwarmMessageError('an accusation with a claim that is not the wrong one of the accused')
    }
    this.#known.add(key)
    if (attestation.author === of) return undefined
    const isRepeated = this.#accused.has(of)
    this.#accused.add(of)
    const accusation = { by, of, pieces, attestation, claim, isRepeated }
    if (claim !== undefined) this.#provable.push(accusation)
    return accusation
  }

  /** Those heard that come with a claim: who holds the whole can say who lied. */
  get provable (): readonly HeardAccusation[] {
    return this.#provable
  }

  /** Whether we may accuse this author: once, and not too many. */
  make (author: string): boolean {
    if (this.#made.size === MAX_IN_ALL || this.#made.has(author)) return false
    this.#made.add(author)
    return true
  }

  #read (bytes: Uint8Array, pieces: readonly number[]): Attestation {
    const attestation = decodeAttestation(bytes)
    const { digest, size } = attestation
    const isAbout = digest === this.#digest && size === this.#size && pieces.every(piece => attestedHash(attestation, piece) !== undefined)
    if (!isAbout || !verifyAttestation(attestation)) throw new SwarmMessageError('an accusation whose attestation says nothing of the pieces')
    return attestation
  }
}

function textOf (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}
