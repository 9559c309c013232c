/** Who has wanted a blob for so many graces takes part in it by now, and has a part of it. */
const AT_WORK_GRACES = 2
/** Who does is waited for so many graces: where processors are scarce it is late, and what it has is not read again. */
const PATIENT_GRACES = 10

/** Those that were asked to take part and have not answered: the origin is not read without them for a while. */
export class Unanswered {
  readonly #graceMs: number
  /** How long each may take, in milliseconds. */
  readonly #allowed = new Map<string, number>()
  /** Since all were asked, as far as we were told, in milliseconds. */
  #waitedMs = 0

  /** @param graceMs - how long one may take to answer of whom nothing is known, in milliseconds */
  constructor (graceMs: number) {
    this.#graceMs = graceMs
  }

  get isEmpty (): boolean {
    return this.#allowed.size === 0
  }

  /** @param wantedForMs - how long it has wanted the blob itself, as it told us; undefined: it has not */
  asked (name: string, wantedForMs: number | undefined): void {
    const isAtWork = wantedForMs !== undefined && wantedForMs >= AT_WORK_GRACES * this.#graceMs
    this.#allowed.set(name, isAtWork ? PATIENT_GRACES * this.#graceMs : this.#graceMs)
  }

  /** It has said whether it takes part, or is gone. @returns whether it was asked, and nobody is worth waiting for now */
  answered (name: string): boolean {
    return this.#allowed.delete(name) && this.leftMs(this.#waitedMs) === 0
  }

  /** How much longer somebody is worth waiting for, in milliseconds; 0: nobody is. @param waitedMs - since all were asked */
  leftMs (waitedMs: number): number {
    this.#waitedMs = waitedMs
    return Math.max(0, ...[...this.#allowed.values()].map(allowedMs => allowedMs - waitedMs))
  }
}
