import { attestedHash, decodeAttestation, verifyAttestation, type Attestation } from '../net/swarm-attestation.ts'
import { SwarmMessageError, type AccuseMessage } from '../net/swarm-message.ts'
import type { Digest } from '../oci/digest.ts'

/** Accusations about one blob that are heard from one peer. */
const MAX_OF_PEER = 4
/** Accusations about one blob that are heard at all, or made. */
const MAX_IN_ALL = 32

/**
 * Somebody says that a signer signed wrong hashes. A hint where to look and never a proof: a liar says it as easily. Whoever made
 * the attestation answers for it if it turns out to be the wrong one.
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
  #count = 0

  constructor ({ digest, size }: { readonly digest: Digest, readonly size: number }) {
    this.#digest = digest
    this.#size = size
  }

  /**
   * @returns undefined when enough were heard, or the same from another, or nobody else is accused
   * @throws SwarmMessageError when its attestation is not about these pieces, or not its author's
   */
  hear (by: string, { of, pieces, attestation: bytes }: AccuseMessage): HeardAccusation | undefined {
    const key = `${of} ${pieces.join(' ')} ${Buffer.from(bytes).toString('latin1')}`
    if (this.#known.has(key)) return undefined
    const heard = this.#heard.get(by) ?? 0
    if (heard === MAX_OF_PEER || this.#count === MAX_IN_ALL) return undefined
    this.#heard.set(by, heard + 1)
    this.#count++
    const attestation = decodeAttestation(bytes)
    const { digest, size } = attestation
    const isAbout = digest === this.#digest && size === this.#size && pieces.every(piece => attestedHash(attestation, piece) !== undefined)
    if (!isAbout || !verifyAttestation(attestation)) throw new SwarmMessageError('an accusation whose attestation says nothing of the pieces')
    this.#known.add(key)
    if (attestation.author === of) return undefined
    const isRepeated = this.#accused.has(of)
    this.#accused.add(of)
    return { by, of, pieces, attestation, isRepeated }
  }

  /** Whether we may accuse this author: once, and not too many. */
  make (author: string): boolean {
    if (this.#made.size === MAX_IN_ALL || this.#made.has(author)) return false
    this.#made.add(author)
    return true
  }
}
