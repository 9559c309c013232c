import fc from 'fast-check'
import { expect, test } from 'vitest'
import { releasableEdge, trustedEdge } from '../../src/pull/release.ts'
import type { SourcedSpan } from '../../src/store/store.ts'
import { lastPieceStart, MIN_PIECE_LENGTH } from '../../src/swarm/pieces.ts'

const spans = fc.array(fc.record({ length: fc.integer({ min: 1, max: 3 * MIN_PIECE_LENGTH }), source: fc.constantFrom('origin' as const, 'peer:a' as const) }), { maxLength: 5 })
  .map(parts => parts.reduce<SourcedSpan[]>((all, { length, source }) => {
    const start = all.at(-1)?.end ?? 0
    return [...all, { start, end: start + length, source }]
  }, []))
const facts = fc.record({ spans, rest: fc.option(fc.nat(MIN_PIECE_LENGTH), { nil: undefined }) }).map(({ spans, rest }) => {
  const edge = spans.at(-1)?.end ?? 0
  return { spans, edge, size: rest === undefined ? undefined : edge + rest }
})

test('nothing that a peer gave, nor what lies behind it, is released before the whole is right', () => {
  fc.assert(fc.property(facts, facts => {
    const released = releasableEdge({ ...facts, isVerified: false })
    for (const span of facts.spans) {
      if (span.source !== 'origin') expect(released).toBeLessThanOrEqual(span.start)
    }
    expect(released).toBeLessThanOrEqual(trustedEdge(facts.spans))
  }))
})

test('the last piece is not released before the whole is right', () => {
  fc.assert(fc.property(facts, facts => {
    const released = releasableEdge({ ...facts, isVerified: false })
    if (facts.size !== undefined) expect(released).toBeLessThanOrEqual(lastPieceStart(facts.size))
    else if (facts.edge > 0) expect(released).toBeLessThan(facts.edge)
    expect(released).toBeGreaterThanOrEqual(0)
  }))
})

test('all of it is released when the whole is right', () => {
  fc.assert(fc.property(facts, facts => { expect(releasableEdge({ ...facts, isVerified: true })).toBe(facts.edge) }))
})

test('what came from the origin alone is trusted to its end', () => {
  expect(trustedEdge([{ start: 0, end: 9, source: 'origin' }])).toBe(9)
  expect(trustedEdge([{ start: 0, end: 9, source: 'origin' }, { start: 9, end: 12, source: 'peer:a' }, { start: 12, end: 20, source: 'origin' }])).toBe(9)
  expect(trustedEdge([])).toBe(0)
})
