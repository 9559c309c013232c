import { describe, expect, it } from 'vitest'
import { drawRollout, type ChartPanel } from '../../bench/rollout/chart.ts'

const PANEL: ChartPanel = {
  title: 'two hosts <a & b>',
  imageBytes: 1000,
  hosts: [
    { role: 'healthy', doneMs: 900, curve: [[0, 0], [900, 1000]] },
    { role: 'killed', curve: [[0, 0], [400, 300]] }
  ],
  origin: [[0, 0], [500, 5000]],
  boundMs: 800,
  barMs: 960,
  endMs: 900
}

describe('the chart of a rollout', () => {
  it('has a line for each host, for those that are done, for the registry, and for both limits', () => {
    const svg = drawRollout([PANEL])
    expect(svg.match(/<polyline/g)).toHaveLength(4)
    expect(svg).toContain('T* 0.80 s')
    expect(svg).toContain('bar 0.96 s')
    expect(svg).toContain('two hosts &lt;a &amp; b>')
  })

  it('leaves out what is not known', () => {
    const svg = drawRollout([{ ...PANEL, origin: [], boundMs: undefined, barMs: undefined }])
    expect(svg.match(/<polyline/g)).toHaveLength(3)
    expect(svg).not.toContain('T*')
  })

  it('keeps every point inside of its panel, also when the registry sends the image many times', () => {
    const svg = drawRollout([PANEL])
    const points = [...svg.matchAll(/points="([^"]*)"/g)].flatMap(match => (match[1] ?? '').split(' ').map(point => point.split(',').map(Number)))
    for (const [x = NaN, y = NaN] of points) {
      expect(x).toBeGreaterThanOrEqual(0)
      expect(x).toBeLessThanOrEqual(960)
      expect(y).toBeGreaterThanOrEqual(40)
      expect(y).toBeLessThanOrEqual(380)
    }
  })

  it('puts one panel below the other', () => {
    expect(drawRollout([PANEL, PANEL])).toContain('height="820"')
  })
})
