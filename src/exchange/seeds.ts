import type { ContentKind, SharedPieces } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import { Session } from '../swarm/session.ts'
import { blobKey } from './blob-key.ts'
import type { Participation, ParticipationInit } from './participation.ts'
import { storedSource } from './stored-source.ts'

/** Stored blobs served at a time; of more, those nobody is served of are closed. */
const MAX_SEEDS = 64
/** A stored blob that nobody asks for any more is closed after so many milliseconds. */
const SEED_IDLE_MS = 60_000

export interface SeedsParts {
  /** What is stored and may be given; undefined: not here, or not for others. */
  readonly share: { open (kind: ContentKind, digest: Digest): Promise<SharedPieces | undefined> }
  readonly self: () => string
  /** The blob as we take part in it already. */
  readonly known: (kind: ContentKind, digest: Digest) => Participation | undefined
  /** Takes part in a blob from now on. */
  readonly begin: (init: ParticipationInit) => Participation
  /** Takes part in it no longer, and calls `release`. */
  readonly end: (participation: Participation) => void
  readonly isStopped: () => boolean
}

/** A stored blob that is served. */
interface Seed {
  readonly close: () => Promise<void>
  /** Somebody has asked for a piece of it. */
  isUsed: boolean
  timer: NodeJS.Timeout | undefined
}

/** The stored blobs that are served now: opened when somebody joins them, closed when nobody asks for them any more or there are too many. */
export class Seeds {
  readonly #parts: SeedsParts
  /** By the longest unused first. */
  readonly #seeds = new Map<Participation, Seed>()
  readonly #opening = new Map<string, Promise<Participation | undefined>>()

  constructor (parts: SeedsParts) {
    this.#parts = parts
  }

  /** Takes part in a blob that is stored, or that we have begun to fetch meanwhile. Undefined: there is nothing to give. */
  async open (kind: ContentKind, digest: Digest): Promise<Participation | undefined> {
    const key = blobKey(kind, digest)
    let opening = this.#opening.get(key)
    if (opening === undefined) {
      opening = this.#open(kind, digest).finally(() => { this.#opening.delete(key) })
      this.#opening.set(key, opening)
    }
    return opening
  }

  /** Serves a stored blob until nobody asks for it any more. */
  hold (participation: Participation, reader: SharedPieces): void {
    this.#seeds.set(participation, { close: async () => reader.close(), isUsed: false, timer: undefined })
    this.#keep(participation)
    if (this.#seeds.size <= MAX_SEEDS) return
    // who joins many blobs and asks for nothing takes none from those who do
    const idle = [...this.#seeds].find(([, { isUsed }]) => !isUsed)?.[0]
    const [oldest] = this.#seeds.keys()
    this.#parts.end(idle === undefined || idle === participation ? oldest as Participation : idle)
  }

  /** A piece is asked for, of this blob or of one that is not stored. */
  used (participation: Participation): void {
    const seed = this.#seeds.get(participation)
    if (seed !== undefined) seed.isUsed = true
    this.#keep(participation)
  }

  /** It is served no longer. */
  release (participation: Participation): void {
    const seed = this.#seeds.get(participation)
    this.#seeds.delete(participation)
    clearTimeout(seed?.timer)
    seed?.close().catch(() => {})
  }

  async #open (kind: ContentKind, digest: Digest): Promise<Participation | undefined> {
    const { share, self, known, begin, isStopped } = this.#parts
    const reader = await share.open(kind, digest).catch(() => undefined)
    // we may have begun to fetch it meanwhile
    const participation = known(kind, digest)
    if (reader === undefined || participation !== undefined || isStopped()) {
      await reader?.close()
      return participation
    }
    const { size, restricted } = reader
    const session = new Session({ self: self(), digest, size, isSeed: true })
    const seed = begin({ digest, kind, size, session, source: storedSource(reader), restricted, isShared: true, readsOrigin: false })
    this.hold(seed, reader)
    return seed
  }

  /** Starts its time to live anew. */
  #keep (participation: Participation): void {
    const seed = this.#seeds.get(participation)
    if (seed === undefined) return
    clearTimeout(seed.timer)
    seed.timer = setTimeout(() => { this.#parts.end(participation) }, SEED_IDLE_MS)
    seed.timer.unref()
    this.#seeds.delete(participation)
    this.#seeds.set(participation, seed)
  }
}
