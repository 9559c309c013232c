/** For each who ranks before us for a piece we wait so long, in milliseconds. */
const STEP_MS = 500

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

  /** Whether it is enough to read for those before us. */
  suffices (nowMs: number, before: number): boolean {
    return this.at(nowMs) > before * STEP_MS
  }
}
