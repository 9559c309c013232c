import type { Bitfield } from './bitfield.ts'

/** The swarm may take this many times as long as the origin would, and this many milliseconds more. */
const BALANCED_FACTOR = 4
const BALANCED_ALLOWANCE_MS = 5000
/** Another may take this many times as long as we for a piece of the origin, and so long at the least, in milliseconds. */
const SLOW_FACTOR = 8
const SLOW_LEAST_MS = 1000
/** And this many times as long as others do: where processors are scarce all are slow, and none is slower than we. */
const TYPICAL_FACTOR = 4
/** We may take this many times as long for one piece as others do lately, and so long at the least, in milliseconds. */
const OUTPACED_FACTOR = 5
const OUTPACED_LEAST_MS = 1500
/** So many pieces must have come meanwhile: else those who seem to be quicker bring us nothing. */
const OUTPACED_PIECES = 4
/** What others take is thought to be this until they have shown it, in milliseconds. */
const TYPICAL_GUESS_MS = 400
/** Weight of the newest sample in the origin's pace. */
const SAMPLE_WEIGHT = 0.3

/** How quickly the origin gives us pieces, and the swarm. */
export class OriginPace {
  readonly #arrived: Bitfield
  /** From one piece to the next, lately; undefined until one was read. */
  #pieceMs: number | undefined
  #lastReadMs = 0
  /** How many pieces were here then. */
  #arrivedAtRead = 0
  /** Between two words of others that they have read what they had promised, lately. */
  #typicalMs = TYPICAL_GUESS_MS
  #hasHeard = false
  #startedMs: number | undefined
  #arrivedAtStart = 0

  /** @param arrived - the pieces that are here */
  constructor (arrived: Bitfield) {
    this.#arrived = arrived
  }

  /** The swarm may bring pieces from now on. */
  started (nowMs: number): void {
    this.#startedMs = nowMs
    this.#arrivedAtStart = this.#arrived.count
  }

  /** We begin to read a piece, having read nothing. */
  resumed (nowMs: number): void {
    this.#nextBegins(nowMs)
  }

  /** We have read a piece. */
  read (nowMs: number): void {
    const tookMs = nowMs - this.#lastReadMs
    this.#pieceMs = this.#pieceMs === undefined ? tookMs : this.#pieceMs + (tookMs - this.#pieceMs) * SAMPLE_WEIGHT
    this.#nextBegins(nowMs)
  }

  /** Another has read pieces, so long after it had promised them or had read others. */
  othersRead (tookMs: number): void {
    this.#hasHeard = true
    this.#typicalMs += (tookMs - this.#typicalMs) * SAMPLE_WEIGHT
  }

  /** What others take from one word to the next that they have read what they had promised, lately, in milliseconds; 0 until they have. */
  get othersMs (): number {
    return this.#hasHeard ? this.#typicalMs : 0
  }

  /** What a piece takes lately, of us or of others, whoever takes longer, in milliseconds; Infinity until we have read one. */
  get slowerMs (): number {
    return this.#pieceMs === undefined ? Infinity : Math.max(this.#pieceMs, this.#typicalMs)
  }

  /** Whether the origin would bring what is missing much sooner than the swarm does. */
  isMuchQuicker (nowMs: number): boolean {
    if (this.#pieceMs === undefined) return false
    const missing = this.#arrived.length - this.#arrived.count
    const came = this.#arrived.count - this.#arrivedAtStart
    const elapsedMs = nowMs - (this.#startedMs ?? nowMs)
    const swarmMs = came === 0 ? Infinity : missing * elapsedMs / came
    return elapsedMs > BALANCED_ALLOWANCE_MS && swarmMs > BALANCED_FACTOR * missing * this.#pieceMs + BALANCED_ALLOWANCE_MS
  }

  /** Whether we have been at one piece for so long, while we read, that others would have read several, and pieces of others do come. */
  isOutpaced (nowMs: number): boolean {
    // what comes of members that hold it already says nothing of the origin
    if (!this.#hasHeard || this.#arrived.count - this.#arrivedAtRead < OUTPACED_PIECES) return false
    return nowMs - this.#lastReadMs > Math.max(OUTPACED_LEAST_MS, OUTPACED_FACTOR * this.#typicalMs)
  }

  /** Whether who needs so long for one piece is much slower than we, and than others. */
  isMuchSlower (tookMs: number): boolean {
    return this.#pieceMs !== undefined && tookMs > Math.max(SLOW_LEAST_MS, SLOW_FACTOR * this.#pieceMs, TYPICAL_FACTOR * this.#typicalMs)
  }

  #nextBegins (nowMs: number): void {
    this.#lastReadMs = nowMs
    this.#arrivedAtRead = this.#arrived.count
  }
}
