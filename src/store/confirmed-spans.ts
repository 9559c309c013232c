import type { ConfirmedSpan } from './store.ts'

/** Spans that have been checked, sorted and disjoint: a later one takes the place of those it overlaps. */
export class ConfirmedSpans<Span extends ConfirmedSpan = ConfirmedSpan> {
  readonly #spans: Span[] = []
  #all: readonly Span[] | undefined

  constructor (spans: Iterable<Span> = []) {
    for (const span of spans) this.add(span)
  }

  /** All of them, as they are now: what is returned never changes. */
  get all (): readonly Span[] {
    this.#all ??= [...this.#spans]
    return this.#all
  }

  add (span: Span): void {
    const { from, to } = this.#overlapping(span.start, span.end)
    this.#spans.splice(from, to - from, span)
    this.#all = undefined
  }

  /** Forgets every span of which a byte lies in [start, end). */
  delete (start: number, end: number): void {
    if (end <= start) return
    const { from, to } = this.#overlapping(start, end)
    if (to === from) return
    this.#spans.splice(from, to - from)
    this.#all = undefined
  }

  #overlapping (start: number, end: number): { from: number, to: number } {
    let from = 0
    let high = this.#spans.length
    while (from < high) {
      const middle = (from + high) >>> 1
      if (this.#spans[middle]!.end <= start) from = middle + 1
      else high = middle
    }
    let to = from
    while (to < this.#spans.length && this.#spans[to]!.start < end) to++
    return { from, to }
  }
}
