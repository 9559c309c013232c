/** For each who ranks before us for a piece we wait for what so many pieces take lately. */
const STEP_PIECES = 2
/** But so long at the least, or two read the same where one has not heard of the other yet, and at the most. Milliseconds. */
const MIN_STEP_MS = 200
const MAX_STEP_MS = 500

/** How long we have had nothing of our own to read from the origin. Those who still have something are slower than we. */
export class SpareTime {
  #sinceMs: number | undefined
  #isShared = false

  /** Nothing is ours to read, and we read nothing. */
  begin (nowMs: number): void {
    this.#sinceMs ??= nowMs
  }

  /** What somebody has left unread is there for all who are spare: it counts anew, so that they do not all read it at once. */
  shared (): void {
    this.#isShared = true
  }

  /** Milliseconds; 0 while we have not been spare. */
  at (nowMs: number): number {
    if (this.#sinceMs === undefined) return 0
    if (this.#isShared) this.#sinceMs = nowMs
    this.#isShared = false
    return nowMs - this.#sinceMs
  }

  /** Whether it is enough to read for those before us. @param pieceMs - what the origin takes for a piece lately */
  suffices (nowMs: number, before: number, pieceMs: number): boolean {
    return this.at(nowMs) > before * Math.min(Math.max(STEP_PIECES * pieceMs, MIN_STEP_MS), MAX_STEP_MS)
  }
}
