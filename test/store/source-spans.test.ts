import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SourceSpans } from '../../src/store/source-spans.ts'
import type { SpanSource } from '../../src/store/store.ts'

const LENGTH = 120
const anySpan = fc.record({ start: fc.nat(LENGTH), length: fc.nat(30) })
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('add' as const), span: anySpan, source: fc.constantFrom<SpanSource>('origin', 'peer:a', 'peer:b') }) },
  fc.record({ type: fc.constant('delete' as const), span: anySpan })
)
type Model = Array<SpanSource | undefined>

/** The bytes from `start` on that are here. */
function runEnd (model: Model, start: number): number {
  let end = start
  while (model[end] !== undefined) end++
  return end
}

describe('source spans', () => {
  it('know for each byte whether it is here, and who gave it', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), anySpan, (steps, { start, length }) => {
      const spans = new SourceSpans()
      const model: Model = Array.from({ length: LENGTH + 30 }, () => undefined)
      for (const each of steps) {
        const end = each.span.start + each.span.length
        const isFree = model.slice(each.span.start, end).every(source => source === undefined)
        expect(spans.overlaps(each.span.start, end)).toBe(!isFree)
        if (each.type === 'delete') {
          spans.delete(each.span.start, end)
          model.fill(undefined, each.span.start, end)
        } else if (isFree) {
          spans.add(each.span.start, end, each.source)
          model.fill(each.source, each.span.start, end)
        }
        expect(spans.edge).toBe(runEnd(model, 0))
        expect(spans.end).toBe(model.findLastIndex(source => source !== undefined) + 1)
      }
      const end = start + length
      expect(spans.runEnd(start, end)).toBe(Math.min(end, runEnd(model, start)))
      expect(spans.has(start, end)).toBe(runEnd(model, start) >= end)
      expect(bytesOf(spans.slice(start, end))).toEqual(model.slice(start, end).flatMap((source, index) => source === undefined ? [] : [[start + index, source]]))
      expect(bytesOf(spans.missing(start, end)).map(([position]) => position)).toEqual(model.slice(start, end).flatMap((source, index) => source === undefined ? [start + index] : []))
    }))
  })

  it('are sorted and disjoint, and neighbours of one source are merged', () => {
    fc.assert(fc.property(fc.array(step, { maxLength: 40 }), steps => {
      const spans = new SourceSpans()
      for (const { type, span: { start, length }, ...rest } of steps) {
        if (type === 'delete') spans.delete(start, start + length)
        else if (!spans.overlaps(start, start + length) && 'source' in rest) spans.add(start, start + length, rest.source)
      }
      for (const [index, span] of spans.all.entries()) {
        const before = spans.all[index - 1]
        expect(span.end).toBeGreaterThan(span.start)
        if (before?.end === span.start) expect(before.source).not.toBe(span.source)
        else expect(span.start).toBeGreaterThan(before?.end ?? -1)
      }
    }))
  })

  it('are given out as they are, and do not change then', () => {
    const spans = new SourceSpans()
    spans.add(0, 5, 'origin')
    const { all } = spans
    expect(spans.all).toBe(all)
    spans.add(5, 9, 'origin')
    expect(all).toEqual([{ start: 0, end: 5, source: 'origin' }])
    expect(spans.all).toEqual([{ start: 0, end: 9, source: 'origin' }])
  })
})

function bytesOf (spans: ReadonlyArray<{ start: number, end: number, source?: SpanSource }>): Array<[number, SpanSource | undefined]> {
  return spans.flatMap(({ start, end, source }) => Array.from({ length: end - start }, (_, index) => [start + index, source] as [number, SpanSource | undefined]))
}
