import { OwnershipSeed } from './ownership.ts'

const DEFAULT_PATIENCE_MS = 500
/** Nobody is waited for longer than this in all, in milliseconds. */
const MAX_WAIT_MS = 3_000
/** After so many whose turn was in vain everybody reads for itself. */
const MAX_PASSED = 3
/** Others that are kept in mind; of more, the first. */
const MAX_OTHERS = 512

export interface SuccessionInit {
  /** Our own peer id. */
  readonly self: string
  readonly digest: string
  /** It may be our turn: we ask the origin, and may give others what it says. */
  readonly isCandidate: boolean
  /** How long whose turn it is may take to say that it reads, and from there until it has read, in milliseconds. @default 500 */
  readonly patienceMs?: number
}

interface Other {
  readonly rank: number
  /** Since when we wait for it: from when it said that it reads, or else from when its turn came. */
  sinceMs: number | undefined
  isReading: boolean
}

/**
 * Of agents that lack the same small document at the same moment, the one that reads it from the origin: who says that it
 * does, else who ranks highest of those that would. The others wait for it, not long; when it fails or is silent the next
 * one's turn has come. Told what the others say, asked whether somebody is to be waited for.
 */
export class Succession {
  readonly #rank: number
  readonly #digest: string
  readonly #patienceMs: number
  readonly #others = new Map<string, Other>()
  /** Their turn was in vain: it does not come again. */
  readonly #passed = new Set<string>()
  #isCandidate: boolean
  #isDenied = false
  #awaited: string | undefined
  #sinceMs: number | undefined

  constructor ({ self, digest, isCandidate, patienceMs = DEFAULT_PATIENCE_MS }: SuccessionInit) {
    this.#digest = digest
    this.#rank = rankOf(digest, self)
    this.#isCandidate = isCandidate
    this.#patienceMs = patienceMs
  }

  /** For whom we wait now. */
  get awaited (): string | undefined {
    return this.#awaited
  }

  /** Another lacks it too, and would read it for all. */
  joined (peer: string): void {
    if (this.#others.size === MAX_OTHERS || this.#others.has(peer) || this.#passed.has(peer)) return
    this.#others.set(peer, { rank: rankOf(this.#digest, peer), sinceMs: undefined, isReading: false })
  }

  /** It reads from the origin now. */
  takes (peer: string, nowMs: number): void {
    const other = this.#others.get(peer)
    if (other === undefined || other.isReading) return
    other.isReading = true
    other.sinceMs = nowMs
  }

  /** The origin gave it nothing, or it has told us something that it has not. */
  fails (peer: string): void {
    if (this.#others.has(peer)) this.#pass(peer)
  }

  /** It does not give it to us: when it has read it, nobody else will either. */
  denies (peer: string): void {
    this.#isDenied ||= this.#others.get(peer)?.isReading === true
    this.#others.delete(peer)
  }

  /** It lacks it no longer, or is not there any more. */
  gone (peer: string): void {
    this.#others.delete(peer)
  }

  /** The origin has given us nothing: it is others' turn. */
  failed (): void {
    this.#isCandidate = false
    this.#sinceMs = undefined
  }

  /** Until when somebody is to be waited for, on the clock of `nowMs`; undefined: nobody, or not any longer. */
  next (nowMs: number): number | undefined {
    this.#sinceMs ??= nowMs
    const deadlineMs = this.#sinceMs + MAX_WAIT_MS
    for (;;) {
      const mayWait = nowMs < deadlineMs && !this.#isDenied && this.#passed.size < MAX_PASSED
      this.#awaited = mayWait ? this.#whoseTurn() : undefined
      const other = this.#others.get(this.#awaited ?? '')
      if (this.#awaited === undefined || other === undefined) return undefined
      other.sinceMs ??= nowMs
      const untilMs = other.sinceMs + this.#patienceMs
      if (untilMs > nowMs) return Math.min(untilMs, deadlineMs)
      this.#pass(this.#awaited)
    }
  }

  /** Undefined: ours, or nobody's. */
  #whoseTurn (): string | undefined {
    let first: string | undefined
    let rank = this.#isCandidate ? this.#rank : -1
    for (const [peer, other] of this.#others) {
      if (other.isReading) return peer
      if (other.rank <= rank) continue
      first = peer
      rank = other.rank
    }
    return first
  }

  #pass (peer: string): void {
    this.#others.delete(peer)
    this.#passed.add(peer)
  }
}

function rankOf (digest: string, peer: string): number {
  return new OwnershipSeed(digest, peer).rank(0)
}
