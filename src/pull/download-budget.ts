import { MIN_PIECE_LENGTH, pieceLength } from '../swarm/pieces.ts'
import type { TokenBucket } from '../swarm/token-bucket.ts'
import type { Session } from '../swarm/session.ts'

/** Requests under way that keep a link of any pace busy: found by test/support/swarm-model.ts. */
const MIN_REQUESTS = 8
const MAX_REQUESTS = 64
/** Bytes that may be asked for and not here, of large pieces. */
const MIN_BYTES = 12 * 1024 * 1024
/** How long a request is on its way before its bytes flow, in milliseconds: what is asked for ahead of need. */
const AHEAD_MS = 50
const WINDOW_MS = 250
/** Under a limit members are asked so long before more may come, in milliseconds: a session is asked what to do no more often. */
const LIMIT_AHEAD_MS = 100

/** How much all downloads together may have asked for: enough to fill the link, and no more, so that others can be asked instead. */
export class DownloadBudget {
  readonly #now: () => number
  readonly #limit: TokenBucket | undefined
  readonly #sessions = new Set<Session>()
  #bytes = 0
  #sinceMs = 0
  #bytesPerMs = 0

  /** @param limit - of all bytes that are taken, from members and origins; none when undefined */
  constructor (now: () => number, limit?: TokenBucket) {
    this.#now = now
    this.#limit = limit
  }

  add (session: Session): void {
    this.#sessions.add(session)
  }

  remove (session: Session): void {
    this.#sessions.delete(session)
  }

  /** Bytes came from the origin. @returns how long to read no more of them, in milliseconds */
  read (bytes: number): number {
    const now = this.#now()
    this.#limit?.spend(bytes, now)
    return this.#limit?.delayMs(now) ?? 0
  }

  /** Bytes came from members. */
  received (bytes: number): void {
    this.#bytes += bytes
    const now = this.#now()
    this.#limit?.spend(bytes, now)
    const elapsedMs = now - this.#sinceMs
    if (elapsedMs < WINDOW_MS) return
    const sample = this.#bytes / elapsedMs
    this.#bytesPerMs = elapsedMs > 4 * WINDOW_MS ? sample : (this.#bytesPerMs + sample) / 2
    this.#bytes = 0
    this.#sinceMs = now
  }

  /** Requests that the session may begin now, and that one member may have. */
  roomFor (session: Session, nowMs: number): { room: number, window: number } {
    const length = pieceLength(session.size)
    const least = Math.max(3, Math.min(MIN_REQUESTS, Math.floor(MIN_BYTES / length)))
    const total = Math.min(MAX_REQUESTS, Math.max(least, Math.ceil(this.#bytesPerMs * AHEAD_MS / length) + 2))
    let underWay = 0
    for (const other of this.#sessions) underWay += (other.onTime(nowMs) + other.unverified) * pieceLength(other.size)
    const shared = total - Math.ceil(underWay / length)
    // a small blob never waits for a large one
    const own = length === MIN_PIECE_LENGTH && session.pieces <= 8 ? session.pieces : session.onTime(nowMs) + session.unverified === 0 ? 1 : 0
    if ((this.#limit?.delayMs(nowMs) ?? 0) > LIMIT_AHEAD_MS) return { room: 0, window: 1 }
    const members = Math.max(1, session.members.size)
    return { room: Math.max(own, shared, 0), window: Math.max(2, Math.ceil(total / members)) }
  }
}
