/** How long a download that nobody seems to help goes on hoping, in milliseconds. */
const DEFAULT_SEARCH_MS = 800
/** How long nothing at all may come before a download is given up, in milliseconds. */
const DEFAULT_STALL_MS = 30_000

export interface PatienceInit {
  /** How long holders are waited for when nobody else is left, in milliseconds. @default 800 */
  readonly searchMs?: number
  /** How long nothing may come before it is given up, in milliseconds. @default 30000 */
  readonly stallMs?: number
}

/** What a download may hope for. */
export interface Hope {
  /** Somebody may bring us further: a member, or the origin. */
  readonly isHelped: boolean
  /** Others may be found, or those that take part may come to have something. */
  readonly maySearch: boolean
  /** Asks those who were to be asked later. @returns whether their answer is still to come */
  readonly hurry: () => boolean
}

/** How long a download waits: for the next byte, and for somebody who may help. Pure: the time is passed in, in milliseconds. */
export class Patience {
  readonly #searchMs: number
  readonly #stallMs: number
  #searchedAtMs = 0
  #progressAtMs = 0

  constructor ({ searchMs = DEFAULT_SEARCH_MS, stallMs = DEFAULT_STALL_MS }: PatienceInit = {}) {
    this.#searchMs = searchMs
    this.#stallMs = stallMs
  }

  start (nowMs: number): void {
    this.#searchedAtMs = this.#progressAtMs = nowMs
  }

  /** Bytes have come. */
  progressed (nowMs: number): void {
    this.#progressAtMs = nowMs
  }

  /** Somebody has answered while members were looked for. */
  answered (nowMs: number): void {
    this.#searchedAtMs = nowMs
  }

  isOver (nowMs: number, { isHelped, maySearch, hurry }: Hope): boolean {
    if (nowMs - this.#progressAtMs >= this.#stallMs) return true
    return !isHelped && !(maySearch && nowMs - this.#searchedAtMs < this.#searchMs) && !hurry()
  }
}
