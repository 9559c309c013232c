import type { EventSink } from '../events.ts'
import type { Digest } from '../oci/digest.ts'
import type { Evidence, Store } from '../store/store.ts'
import type { PeerScore } from '../swarm/peer-score.ts'

/** Wrong copies kept at the most; later ones convict nobody. */
const MAX_EVIDENCE = 3

export interface BlameComponents {
  readonly score: PeerScore
  readonly events: EventSink
  readonly now: () => number
}

/**
 * Finds out who lied about one blob. Keeps what peers claimed and the wrong copies they had a part in, and compares
 * both with the right blob once that is here.
 */
export class Blame {
  readonly #components: BlameComponents
  readonly #digest: Digest
  readonly #claims = new Map<string, number>()
  readonly #evidence: Evidence[] = []

  constructor (components: BlameComponents, digest: Digest) {
    this.#components = components
    this.#digest = digest
  }

  /** The peer says that the blob has so many bytes. */
  claimed (peer: string, size: number): void {
    this.#claims.set(peer, size)
  }

  /** What the peer said of the blob's size. */
  claimOf (peer: string): number | undefined {
    return this.#claims.get(peer)
  }

  addEvidence (evidence: Evidence): void {
    this.#evidence.push(evidence)
    if (this.#evidence.length > MAX_EVIDENCE) this.#evidence.shift()?.discard().catch(() => {})
  }

  ban (peer: string, reason: string): void {
    const { score, events, now } = this.#components
    const ban = score.ban(peer, reason, now())
    this.#claims.delete(peer)
    events.emit({ type: 'peer:banned', peer, reason, digest: this.#digest, untilMs: ban.untilMs })
  }

  /** Bans whoever's claim or bytes differ from the committed blob. */
  async convict (size: number, store: Store, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
    for (const [peer, claim] of this.#claims) {
      if (claim !== size) this.ban(peer, `said ${this.#digest} has ${claim} bytes; it has ${size}`)
    }
    if (this.#evidence.length === 0) return
    const right = await store.open(this.#digest, { signal })
    if (right === undefined) return
    try {
      const liars = new Set<string>()
      for (const evidence of this.#evidence) {
        for (const source of await evidence.compare(right, { signal })) {
          if (source !== 'origin') liars.add(source.slice('peer:'.length))
        }
      }
      for (const liar of liars) this.ban(liar, `sent bytes that do not match ${this.#digest}`)
    } finally {
      await right.close()
    }
  }

  /** Deletes the wrong copies. */
  async close (): Promise<void> {
    await Promise.allSettled(this.#evidence.map(async evidence => { await evidence.discard() }))
  }
}
