import type { Member } from './member.ts'

/** Weight of the newest sample. */
const SAMPLE_WEIGHT = 0.1
/** What was sorted last: most sessions have as many members. */
let sorted = new Float64Array(0)

/** How long a request usually takes: the median of what members took lately. */
export class ServiceTimes {
  readonly #members: ReadonlyMap<string, Member>
  #usualMs: number
  /** Undefined: a member has come, gone or delivered since it was last computed. */
  #medianMs: number | undefined

  /** @param guessMs - what is thought before any was answered */
  constructor (members: ReadonlyMap<string, Member>, guessMs: number) {
    this.#members = members
    this.#usualMs = guessMs
  }

  /** Milliseconds. */
  get usualMs (): number {
    return this.#usualMs
  }

  /** A member has come, gone or delivered. */
  changed (): void {
    this.#medianMs = undefined
  }

  /** Takes what members take now for one sample more. */
  measure (): void {
    if (this.#members.size === 0) return
    this.#medianMs ??= this.#median()
    this.#usualMs += (this.#medianMs - this.#usualMs) * SAMPLE_WEIGHT
  }

  #median (): number {
    const { size } = this.#members
    if (sorted.length !== size) sorted = new Float64Array(size)
    let index = 0
    for (const { serviceMs } of this.#members.values()) sorted[index++] = serviceMs
    return sorted.sort()[size >> 1] ?? 0
  }
}
