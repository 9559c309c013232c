import { LARGE_PIECE_LENGTH, MIN_PIECE_LENGTH } from '../swarm/pieces.ts'
import type { Session } from '../swarm/session.ts'
import { DEFAULT_MAX_QUEUED, slotsOf } from '../swarm/upload-queue.ts'

/** Requests under way that keep a link of any pace busy: found by test/support/swarm-model.ts. */
const MIN_REQUESTS = 8
const MAX_REQUESTS = 64
/** How long a request is on its way before its bytes flow, in milliseconds: what is asked for ahead of need. */
const AHEAD_MS = 50
const WINDOW_MS = 250
/** The same while more would come than may: what is asked for beyond that only lies in the way of small blobs. */
const LIMIT_AHEAD_MS = 250
/**
 * But the usual number of small pieces, if they may come in a second: whoever gives one serves six at a time, so that few of them
 * do not fill a slow link (half of 16 hosts with 1.25 MB/s are done after 1.24-1.35 T* with eight, 1.48-1.52 with two).
 */
const FEW_BYTES = MIN_REQUESTS * MIN_PIECE_LENGTH
const FEW_AHEAD_MS = 1000
/** Pieces of a blob that is small: it never waits for a large one. */
const SMALL_PIECES = 8
const SMALL_BYTES = SMALL_PIECES * MIN_PIECE_LENGTH

/** What may come, of all that is taken from members and origins. */
export interface DownloadLimit {
  readonly bytesPerSecond: number
  /** More would come than may. */
  readonly isHolding: boolean
  /** Bytes have come, and whoever takes them does not wait. */
  came (bytes: number): unknown
  /** Bytes have come. @returns when to take more; undefined: at once */
  taken (bytes: number, options?: { readonly isUrgent?: boolean }): Promise<void> | undefined
}

/** How much all downloads together may have asked for: enough to fill the link, and no more, so that others can be asked instead. */
export class DownloadBudget {
  readonly #now: () => number
  readonly #limit: DownloadLimit | undefined
  readonly #sessions = new Set<Session>()
  #bytes = 0
  #sinceMs = 0
  #bytesPerMs = 0
  /** When there was a session again, after there was none. */
  #busySinceMs = -Infinity

  /** @param limit - of what members send it is told by their links; none when undefined */
  constructor (now: () => number, limit?: DownloadLimit) {
    this.#now = now
    this.#limit = limit
  }

  get isLimited (): boolean {
    return this.#limit !== undefined
  }

  add (session: Session): void {
    if (this.#sessions.size === 0) this.#busySinceMs = this.#now()
    this.#sessions.add(session)
  }

  remove (session: Session): void {
    this.#sessions.delete(session)
  }

  /**
   * Bytes came from the origin.
   * @param size - of the blob, as far as it is known
   * @returns when to read more of them; undefined: at once
   */
  read (bytes: number, size = Infinity): Promise<void> | undefined {
    return this.#limit?.taken(bytes, { isUrgent: size <= SMALL_BYTES })
  }

  /** So few bytes came from the origin that nobody waits for them: the rest does. */
  count (bytes: number): void {
    this.#limit?.came(bytes)
  }

  /** Bytes came from members. */
  received (bytes: number): void {
    this.#bytes += bytes
    const now = this.#now()
    const elapsedMs = now - this.#sinceMs
    if (elapsedMs < WINDOW_MS) return
    const sample = this.#bytes / elapsedMs
    this.#bytesPerMs = elapsedMs > 4 * WINDOW_MS ? sample : (this.#bytesPerMs + sample) / 2
    this.#bytes = 0
    this.#sinceMs = now
  }

  /**
   * Requests that the session may begin now, and that one member may have. Of large pieces there are at least as many as an agent
   * sends at a time, and lets wait: with more of them many are refused, with less links are idle (`shoal simulate kraken-2600`).
   */
  roomFor (session: Session, nowMs: number): { room: number, window: number } {
    const length = session.pieceLength
    const least = length >= LARGE_PIECE_LENGTH ? slotsOf(length) + DEFAULT_MAX_QUEUED : MIN_REQUESTS
    const total = Math.min(MAX_REQUESTS, Math.max(least, Math.ceil(this.#bytesPerMs * AHEAD_MS / length) + 2))
    const ours = session.onTime(nowMs) + session.unverified
    let underWay = 0
    let others = 0
    for (const other of this.#sessions) {
      const pieces = other === session ? ours : other.onTime(nowMs) + other.unverified
      // most of very many layers wait
      if (pieces === 0) continue
      underWay += pieces * other.pieceLength
      if (other !== session && !isSmall(other)) others++
    }
    const shared = total - Math.ceil(underWay / length)
    // a small blob never waits for a large one
    const own = isSmall(session) ? session.pieces : ours === 0 ? 1 : 0
    const share = isSmall(session) ? undefined : this.#share(1 + others, length)
    const room = share === undefined ? Math.max(own, shared) : Math.min(total, share) - ours
    const members = Math.max(1, session.members.size)
    return { room: Math.max(0, room), window: Math.max(2, Math.ceil(total / members)) }
  }

  /** Pieces that each of so many sessions may have asked for while the limit is what holds them up; undefined while it is not. */
  #share (sessions: number, length: number): number | undefined {
    if (this.#limit === undefined || !(this.#limit.isHolding || this.#now() - this.#busySinceMs < WINDOW_MS)) return undefined
    const bytesPerMs = this.#limit.bytesPerSecond / 1000
    const bytes = Math.max(Math.min(FEW_BYTES, bytesPerMs * FEW_AHEAD_MS), bytesPerMs * LIMIT_AHEAD_MS)
    return Math.max(1, Math.floor(bytes / length / sessions))
  }
}

function isSmall ({ pieceLength, pieces }: Session): boolean {
  return pieceLength === MIN_PIECE_LENGTH && pieces <= SMALL_PIECES
}
