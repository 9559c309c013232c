const REST_BASE_MS = 1000
const REST_MAX_MS = 60_000
/** Weight of the newest sample in the moving average of a peer's pace. */
const PACE_WEIGHT = 0.3

/** A peer that is not asked at all until the ban ends. */
export interface Ban {
  readonly peer: string
  readonly reason: string
  /** Milliseconds since the epoch. */
  readonly sinceMs: number
  /** Milliseconds since the epoch. */
  readonly untilMs: number
}

export interface PeerScoreInit {
  /** How long a ban lasts, in milliseconds. @default 3600000 */
  banTimeMs?: number
  /** Peers remembered at the most; the least recently changed goes first, banned ones last. @default 10000 */
  maxPeers?: number
}

interface Score {
  failures: number
  restUntilMs: number
  bytesPerSecond: number
  ban: Ban | undefined
}

const DEFAULT_BAN_TIME_MS = 3_600_000
const DEFAULT_MAX_PEERS = 10_000

/**
 * What peers have done so far, and whom to ask first because of it. A failure lets a peer rest, twice as long each
 * time; a lie bans it. Pure: the time is passed in.
 */
export class PeerScore {
  readonly #scores = new Map<string, Score>()
  readonly #banTimeMs: number
  readonly #maxPeers: number

  constructor (init: PeerScoreInit = {}) {
    this.#banTimeMs = init.banTimeMs ?? DEFAULT_BAN_TIME_MS
    this.#maxPeers = init.maxPeers ?? DEFAULT_MAX_PEERS
  }

  /** The peer delivered `bytes` within `durationMs`: its failures are forgiven. */
  delivered (peer: string, bytes: number, durationMs: number): void {
    const score = this.#change(peer)
    score.failures = 0
    score.restUntilMs = 0
    if (bytes === 0) return
    const sample = bytes / Math.max(durationMs, 1) * 1000
    score.bytesPerSecond = score.bytesPerSecond === 0 ? sample : score.bytesPerSecond * (1 - PACE_WEIGHT) + sample * PACE_WEIGHT
  }

  /** The peer was silent, slow, busy or gone. */
  failed (peer: string, nowMs: number): void {
    const score = this.#change(peer)
    score.restUntilMs = nowMs + Math.min(REST_MAX_MS, REST_BASE_MS * 2 ** score.failures)
    score.failures += 1
  }

  /** The peer lied. A longer ban that already runs stays. */
  ban (peer: string, reason: string, nowMs: number): Ban {
    const score = this.#change(peer)
    const ban = { peer, reason, sinceMs: nowMs, untilMs: nowMs + this.#banTimeMs }
    if (score.ban === undefined || score.ban.untilMs < ban.untilMs) score.ban = ban
    return score.ban
  }

  isBanned (peer: string, nowMs: number): boolean {
    const ban = this.#scores.get(peer)?.ban
    return ban !== undefined && ban.untilMs > nowMs
  }

  /** Whether the peer failed lately and should be asked only when nobody else is left. */
  isResting (peer: string, nowMs: number): boolean {
    return (this.#scores.get(peer)?.restUntilMs ?? 0) > nowMs
  }

  /** Those worth asking, best first: rested before resting, then by pace; banned ones are left out. */
  rank (peers: Iterable<string>, nowMs: number): string[] {
    const key = (peer: string): number => {
      const pace = this.#scores.get(peer)?.bytesPerSecond ?? 0
      return this.isResting(peer, nowMs) ? -1 / (1 + pace) : pace
    }
    return [...peers].filter(peer => !this.isBanned(peer, nowMs)).sort((a, b) => key(b) - key(a))
  }

  bans (nowMs: number): Ban[] {
    return [...this.#scores.values()].flatMap(score => score.ban !== undefined && score.ban.untilMs > nowMs ? [score.ban] : [])
  }

  /** The score to write to, moved to the young end; makes room when there are too many. */
  #change (peer: string): Score {
    const score = this.#scores.get(peer) ?? { failures: 0, restUntilMs: 0, bytesPerSecond: 0, ban: undefined }
    this.#scores.delete(peer)
    if (this.#scores.size === this.#maxPeers) this.#forgetOne()
    this.#scores.set(peer, score)
    return score
  }

  #forgetOne (): void {
    let oldest: string | undefined
    for (const [peer, score] of this.#scores) {
      oldest ??= peer
      if (score.ban === undefined) {
        oldest = peer
        break
      }
    }
    if (oldest !== undefined) this.#scores.delete(oldest)
  }
}
