import type { ByteSpan, SourcedSpan, SpanSource } from './store.ts'

/** Which bytes there are, and where they came from: sorted, disjoint, perhaps with gaps; neighbours of one source are merged. */
export class SourceSpans {
  readonly #spans: SourcedSpan[] = []
  #edge = 0
  #all: readonly SourcedSpan[] | undefined

  /** Bytes [0, edge) are here. */
  get edge (): number {
    return this.#edge
  }

  /** End of the last span. */
  get end (): number {
    return this.#spans.at(-1)?.end ?? 0
  }

  /** All of them, as they are now: what is returned never changes. */
  get all (): readonly SourcedSpan[] {
    this.#all ??= [...this.#spans]
    return this.#all
  }

  /** Bytes that are not here yet: see `overlaps`. */
  add (start: number, end: number, source: SpanSource): void {
    if (end <= start) return
    const index = this.#indexAt(start)
    const before = this.#spans[index - 1]
    const after = this.#spans[index]
    const first = before?.end === start && before.source === source ? before : undefined
    const last = after?.start === end && after.source === source ? after : undefined
    const at = first === undefined ? index : index - 1
    this.#spans.splice(at, (first === undefined ? 0 : 1) + (last === undefined ? 0 : 1), { start: first?.start ?? start, end: last?.end ?? end, source })
    if (start === this.#edge) this.#edge = this.#runEnd(at, Infinity)
    this.#all = undefined
  }

  /** Bytes of [start, end) are here no longer. */
  delete (start: number, end: number): void {
    if (end <= start) return
    const from = this.#indexAt(start)
    let to = from
    const rest: SourcedSpan[] = []
    for (let span = this.#spans[to]; span !== undefined && span.start < end; span = this.#spans[++to]) {
      if (span.start < start) rest.push({ ...span, end: start })
      if (span.end > end) rest.push({ ...span, start: end })
    }
    this.#spans.splice(from, to - from, ...rest)
    this.#edge = Math.min(this.#edge, start)
    this.#all = undefined
  }

  overlaps (start: number, end: number): boolean {
    const span = this.#spans[this.#indexAt(start)]
    return span !== undefined && start < end && span.start < end
  }

  /** Whether all bytes of [start, end) are here. */
  has (start: number, end: number): boolean {
    return end <= start || this.runEnd(start, end) === end
  }

  /** End of the bytes that are here without a gap from `position` on, at most `limit`; `position` when there is none. */
  runEnd (position: number, limit: number): number {
    // readers follow the edge
    if (position < this.#edge) return Math.min(this.#edge, limit)
    const index = this.#indexAt(position)
    const span = this.#spans[index]
    return span === undefined || span.start > position ? position : Math.min(limit, this.#runEnd(index, limit))
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

  /** What [start, end) lacks. */
  missing (start: number, end: number): ByteSpan[] {
    const result: ByteSpan[] = []
    let position = start
    for (const span of this.slice(start, end)) {
      if (span.start > position) result.push({ start: position, end: span.start })
      position = span.end
    }
    if (position < end) result.push({ start: position, end })
    return result
  }

  /** End of the run that the span at `index` belongs to, not looked for beyond `limit`. */
  #runEnd (index: number, limit: number): number {
    let end = this.#spans[index]?.end ?? 0
    for (let next = index + 1; end < limit && this.#spans[next]?.start === end; next++) end = this.#spans[next]?.end ?? end
    return end
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
