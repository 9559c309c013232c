import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SourceSpans } from '../../src/store/source-spans.ts'
import type { SpanSource } from '../../src/store/store.ts'

describe('source spans', () => {
  const step = fc.oneof(
    fc.record({ length: fc.nat(20), source: fc.constantFrom<SpanSource>('origin', 'peer:a', 'peer:b') }),
    fc.record({ truncate: fc.nat(100) })
  )

  it('name for each byte whoever gave it last', () => {
    fc.assert(fc.property(fc.array(step), fc.nat(120), fc.nat(120), (steps, start, length) => {
      const spans = new SourceSpans()
      let model: SpanSource[] = []
      for (const each of steps) {
        if ('truncate' in each) {
          spans.truncate(each.truncate)
          model = model.slice(0, each.truncate)
        } else {
          spans.append(each.length, each.source)
          model.push(...Array.from({ length: each.length }, () => each.source))
        }
      }
      expect(spans.end).toBe(model.length)
      const cut = spans.slice(start, start + length)
      expect(cut.flatMap(span => model.slice(span.start, span.end).map(() => span.source))).toEqual(model.slice(start, start + length))
      for (const [index, span] of cut.entries()) {
        expect(span.end).toBeGreaterThan(span.start)
        expect(span.start).toBe(cut[index - 1]?.end ?? start)
        expect(span.source).not.toBe(cut[index - 1]?.source)
      }
    }))
  })
})
