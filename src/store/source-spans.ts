import type { SourcedSpan, SpanSource } from './store.ts'

/** Where the bytes [0, end) came from: contiguous from 0, neighbours of one source merged. */
export class SourceSpans {
  #spans: SourcedSpan[] = []

  get end (): number {
    return this.#spans.at(-1)?.end ?? 0
  }

  append (length: number, source: SpanSource): void {
    if (length === 0) return
    const last = this.#spans.at(-1)
    const start = last?.end ?? 0
    if (last?.source === source) {
      this.#spans[this.#spans.length - 1] = { start: last.start, end: start + length, source }
    } else {
      this.#spans.push({ start, end: start + length, source })
    }
  }

  truncate (end: number): void {
    if (end < this.end) this.#spans = this.slice(0, end)
  }

  /** The spans of [start, end), cut to it. */
  slice (start: number, end: number): SourcedSpan[] {
    const result: SourcedSpan[] = []
    if (end <= start) return result
    for (let index = this.#indexAt(start); index < this.#spans.length; index++) {
      const span = this.#spans[index]
      if (span === undefined || span.start >= end) break
      result.push({ start: Math.max(start, span.start), end: Math.min(end, span.end), source: span.source })
    }
    return result
  }

  /** First span that ends beyond `position`. */
  #indexAt (position: number): number {
    let low = 0
    let high = this.#spans.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const span = this.#spans[middle]
      if (span !== undefined && span.end <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
