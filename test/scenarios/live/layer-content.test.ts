import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ContentCheck, contentOf } from '../../../scenarios/live/layer-content.ts'

const BYTES = 3_000_001
const content = Buffer.concat([...contentOf('1 app', BYTES)])

describe('content of a layer', () => {
  it('is as long as it is to be, and the same for the same seed only', () => {
    expect(content).toHaveLength(BYTES)
    expect(Buffer.concat([...contentOf('1 app', BYTES)]).equals(content)).toBe(true)
    expect(Buffer.concat([...contentOf('2 app', BYTES)]).equals(content)).toBe(false)
  })

  it('is right however it is cut', () => {
    fc.assert(fc.property(fc.array(fc.integer({ min: 0, max: BYTES }), { maxLength: 6 }), cuts => {
      const check = new ContentCheck('1 app', BYTES)
      const edges = [0, ...cuts.toSorted((a, b) => a - b), BYTES]
      for (const [index, edge] of edges.slice(1).entries()) expect(check.push(content.subarray(edges[index], edge))).toBe(0)
      expect(check.isWhole).toBe(true)
    }), { numRuns: 20 })
  })

  it('counts each wrong byte, wherever it is', () => {
    const bad = Buffer.from(content)
    for (const at of [0, 1_048_575, 1_048_576, BYTES - 1]) bad[at] = (bad[at] ?? 0) ^ 1
    const check = new ContentCheck('1 app', BYTES)
    expect(check.push(bad.subarray(0, 2_000_000)) + check.push(bad.subarray(2_000_000))).toBe(4)
  })

  it('that ends too early is not whole, and bytes beyond its end are wrong', () => {
    const check = new ContentCheck('1 app', 10)
    expect(check.push(content.subarray(0, 9))).toBe(0)
    expect(check.isWhole).toBe(false)
    expect(check.push(content.subarray(9, 15))).toBe(5)
    expect(check.isWhole).toBe(false)
  })
})
