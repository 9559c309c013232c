import { createHash } from 'node:crypto'
import type { ByteSpan, ConfirmedSpan, SourcedSpan, SpanSource } from '../../src/store/store.ts'

const UNIT = 10_000

/** What a partial blob should hold, in the simplest way: an owner for each unit of bytes. Positions are multiples of the unit. */
export class PartialModel {
  readonly bytes: Buffer
  readonly #owners: Array<SpanSource | undefined>
  #confirmed: ConfirmedSpan[] = []

  constructor (capacity: number) {
    this.bytes = Buffer.alloc(capacity)
    this.#owners = Array.from({ length: capacity / UNIT }, () => undefined)
  }

  get edge (): number {
    const first = this.#owners.indexOf(undefined)
    return (first === -1 ? this.#owners.length : first) * UNIT
  }

  get confirmed (): readonly ConfirmedSpan[] {
    return this.#confirmed.toSorted((a, b) => a.start - b.start)
  }

  get spans (): SourcedSpan[] {
    const spans: SourcedSpan[] = []
    for (const [index, source] of this.#owners.entries()) {
      const last = spans.at(-1)
      if (source === undefined) continue
      if (last?.source === source && last.end === index * UNIT) spans[spans.length - 1] = { ...last, end: last.end + UNIT }
      else spans.push({ start: index * UNIT, end: (index + 1) * UNIT, source })
    }
    return spans
  }

  has (span: ByteSpan): boolean {
    return this.#of(span).every(source => source !== undefined)
  }

  overlaps (span: ByteSpan): boolean {
    return this.#of(span).some(source => source !== undefined)
  }

  write (start: number, chunk: Uint8Array, source: SpanSource): void {
    this.bytes.set(chunk, start)
    this.#owners.fill(source, start / UNIT, (start + chunk.length) / UNIT)
  }

  confirm ({ start, end }: ByteSpan, note: string | undefined): void {
    this.#unconfirm({ start, end })
    const sha256 = createHash('sha256').update(this.bytes.subarray(start, end)).digest('hex')
    this.#confirmed.push({ start, end, sha256, ...note !== undefined && { note } })
  }

  erase (span: ByteSpan): void {
    if (span.end <= span.start) return
    this.#unconfirm(span)
    this.#owners.fill(undefined, span.start / UNIT, span.end / UNIT)
  }

  /** Only what lies before the first gap, or was confirmed, is kept. */
  reopen (): void {
    const { edge } = this
    for (const index of this.#owners.keys()) {
      const position = index * UNIT
      const isConfirmed = this.#confirmed.some(({ start, end }) => start <= position && position < end)
      if (position >= edge && !isConfirmed) this.#owners[index] = undefined
    }
  }

  #of ({ start, end }: ByteSpan): Array<SpanSource | undefined> {
    return this.#owners.slice(start / UNIT, end / UNIT)
  }

  #unconfirm (span: ByteSpan): void {
    this.#confirmed = this.#confirmed.filter(({ start, end }) => end <= span.start || start >= span.end)
  }
}
