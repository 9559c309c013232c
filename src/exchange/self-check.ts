import type { Digest } from '../oci/digest.ts'
import { attestedHash, isSameHash } from '../net/swarm-attestation.ts'
import { RecentMap } from '../recent.ts'
import type { Accusation } from './accusations.ts'
import type { Participation } from './participation.ts'

/** A stored blob is hashed again for others at most once in so many milliseconds. */
const INTERVAL_MS = 60_000
/** Nobody gets the piece meanwhile, but not for longer than so many milliseconds: a liar may hold us back a little, not silence us. */
const DOUBT_MS = 10_000
/** Blobs that wait for it. */
const MAX_WAITING = 8
/** Blobs of which it is known when they were hashed. */
const MAX_REMEMBERED = 256
/** Pieces of an accusation that are looked at. */
const MAX_PIECES = 4

export interface SelfCheckComponents {
  /** What we hold is not right any more, and is gone. */
  readonly onDamaged: (participation: Participation) => void
  /** It signed hashes that are certainly wrong. */
  readonly onLiar: (peer: string, reason: string) => void
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

/**
 * When somebody signs other hashes of what we hold than our bytes have, either is wrong. Where our copy says the same as the accuser,
 * whoever has signed something else has lied. Else our copy is verified, as a disk may have changed it: it is the only one we can be
 * sure of, one way or the other. One blob at a time.
 */
export class SelfCheck {
  readonly #components: SelfCheckComponents
  readonly #verifiedAtMs = new RecentMap<Digest, number>(MAX_REMEMBERED)
  #waiting = 0
  #last: Promise<void> = Promise.resolve()

  constructor (components: SelfCheckComponents) {
    this.#components = components
  }

  /** Takes what was said about a blob that we hold whole. */
  hear (participation: Participation, accusation: Accusation): void {
    if (this.#waiting === MAX_WAITING) return
    this.#waiting++
    // a blob that cannot be read is found out by whoever reads it next
    this.#last = this.#last.then(async () => this.#check(participation, accusation)).catch(() => {}).finally(() => { this.#waiting-- })
  }

  async #check (participation: Participation, { pieces, attestation, claim }: Accusation): Promise<void> {
    const { now, onDamaged, onLiar } = this.#components
    const { digest } = participation
    for (const piece of pieces.slice(0, MAX_PIECES)) {
      const isSame = async (): Promise<boolean> => isSameHash(await participation.hash(piece), attestedHash(attestation, piece))
      const isVerifiable = now() - (this.#verifiedAtMs.get(digest) ?? -Infinity) >= INTERVAL_MS
      if (participation.isOver || (claim === undefined && !isVerifiable)) return
      if (await isSame()) {
        if (claim === undefined) continue
        onLiar(claim.author, `signed a wrong hash of piece ${piece} of ${digest}: our copy has another`)
        return
      }
      if (!isVerifiable) return
      this.#verifiedAtMs.set(digest, now())
      participation.doubt(piece, now() + DOUBT_MS)
      if (!await participation.verify()) {
        onDamaged(participation)
        return
      }
      participation.doubt(piece, 0)
      if (!await isSame()) onLiar(attestation.author, `signed a wrong hash of piece ${piece} of ${digest}: our copy was verified again and has another`)
      return
    }
  }
}
