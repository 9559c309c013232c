import { describe, expect, it } from 'vitest'
import { ProgressCurve } from '../../bench/rollout/progress-curve.ts'

const SOURCES = { fromPeers: 0, fromOrigin: 0, fromStore: 0 }

describe('the curve of a pull', () => {
  it('adds up the blobs of the image', () => {
    const curve = new ProgressCurve()
    curve.add({ type: 'progress', digest: 'a', received: 100, size: 400, ...SOURCES }, 100)
    curve.add({ type: 'progress', digest: 'b', received: 50, size: 50, ...SOURCES }, 200)
    curve.add({ type: 'layer-done', digest: 'a', size: 400, durationMs: 1, ...SOURCES }, 300)
    expect(curve.points).toEqual([[0, 0], [100, 100], [200, 150], [300, 450]])
  })

  it('keeps the newest of many facts in a short time', () => {
    const curve = new ProgressCurve()
    for (let ms = 1; ms <= 1000; ms++) curve.add({ type: 'progress', digest: 'a', received: ms, size: 1000, ...SOURCES }, ms)
    expect(curve.points.length).toBeLessThan(50)
    expect(curve.points.length).toBeGreaterThan(15)
    expect(curve.points.at(-1)).toEqual([1000, 1000])
  })
})
