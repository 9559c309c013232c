import type { ReaderRanking } from './readers.ts'

/** Where more fetch than read, each further one begins so much later, in milliseconds. */
const START_STEP_MS = 25
/**
 * In a swarm of very many, whoever is to read waits until it has heard of no other that is for so long: agents hear of each
 * other in a few steps, and until then each of many takes itself for one of the eight. Milliseconds.
 */
const SETTLE_MS = 20

/**
 * When one of those that read begins. Where there are many, who stands highest begins, and the others one by one; where some are
 * known by name only, when they are the same for a while, as those may know others. Else those who know only few yet would all
 * begin at once.
 */
export class ReaderStart {
  #hasBegun = false
  /** Since when those that read beside us are the same, and what tells them from others. */
  #sinceMs = 0
  #bar: number | undefined
  #atMs: number | undefined

  /** When we may begin, if that is what we wait for, in milliseconds. */
  get atMs (): number | undefined {
    return this.#atMs
  }

  /** We read: it is over. */
  begun (): void {
    this.#hasBegun = true
  }

  /** @param options.hasDistant - some are known by name only */
  mayBegin ({ isReader, isCrowded, above, bar }: ReaderRanking, nowMs: number, { hasDistant }: { readonly hasDistant: boolean }): boolean {
    this.#atMs = undefined
    if (this.#hasBegun || !isReader) return true
    if (bar !== this.#bar) {
      this.#bar = bar
      this.#sinceMs = nowMs
    }
    const atMs = this.#sinceMs + (hasDistant ? SETTLE_MS : 0) + (isCrowded ? above * START_STEP_MS : 0)
    if (nowMs >= atMs) return true
    this.#atMs = atMs
    return false
  }
}
