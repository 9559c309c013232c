import { describe, expect, it } from 'vitest'
import { reportHtml } from '../../../scenarios/report/html.ts'
import { comparisonHtml } from '../../../scenarios/report/comparison-html.ts'
import { sweepHtml } from '../../../scenarios/report/sweep-html.ts'
import { Recorder } from '../../../scenarios/recorder.ts'
import { plausibleResult } from '../plausible-run.ts'
import { smallScenario } from '../small-scenario.ts'
import type { Result } from '../../../scenarios/result.ts'

function idsOf (page: string): string[] {
  return [...page.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id ?? '')
}

/** What a page must not have: code, and addresses of anything beside it. */
function expectSelfContained (page: string): void {
  expect(page).not.toMatch(/<script|<link|<img|<iframe|@import|url\((?!#)/)
  expect([...page.matchAll(/https?:\/\/[^"\s]+/g)].map(String).filter(url => !url.startsWith('http://www.w3.org/'))).toEqual([])
  expect([...page.matchAll(/ on\w+=/g)]).toEqual([])
  const ids = idsOf(page)
  expect(new Set(ids).size).toBe(ids.length)
  const used = [...page.matchAll(/url\(#([^)]+)\)/g)].map(([, id]) => id)
  expect(used.filter(id => id === undefined || !ids.includes(id))).toEqual([])
}

describe('a report', () => {
  it('has every picture, each with a sentence', () => {
    const page = reportHtml(plausibleResult())
    const figures = [...page.matchAll(/<figure id="([^"]+)">[^]*?<\/figure>/g)]
    expect(figures.map(([, id]) => id)).toEqual(['done', 'distribution', 'sources', 'origin', 'requests', 'spread', 'groups'])
    for (const [figure] of figures) {
      expect(figure).toMatch(/<figcaption>[^<]{40,}<\/figcaption>/)
      expect(figure.match(/<svg /g)).toHaveLength(2)
    }
  })

  it('says first what was expected and found', () => {
    const page = reportHtml(plausibleResult())
    expect(page.indexOf('Expected and found')).toBeLessThan(page.indexOf('What happened'))
    expect(page.match(/✓ met/g)).toHaveLength(3)
    expect(page.match(/✗ missed/g)).toHaveLength(2)
    expect(page).toContain('<code>completion.p99 &lt;= 2.5 x bound</code>')
  })

  it('stands alone, and is the same for the same run, whatever was drawn before', () => {
    const page = reportHtml(plausibleResult())
    expectSelfContained(page)
    reportHtml(plausibleResult({ seed: 2 }))
    expect(reportHtml(plausibleResult())).toBe(page)
  })

  it('shows names as they are, and runs none of them', () => {
    const page = reportHtml(plausibleResult())
    expect(page).toContain('<h1>plausible &lt;rollout&gt;</h1>')
    expect(page).not.toContain('<rollout>')
  })

  it('has all colours from the page, so that they change with it', () => {
    expect([...reportHtml(plausibleResult()).matchAll(/ (?:fill|stroke)="(#[^"]*|rgb[^"]*)"/g)].map(([, colour]) => colour)
      .filter(colour => colour !== '#000')).toEqual([])
  })

  it('says that a run was ended before its end', () => {
    expect(reportHtml(plausibleResult({ endMs: 3000 }))).toContain('This run was ended before its end.')
    expect(reportHtml(plausibleResult())).not.toContain('before its end')
  })

  it('stays small: of 400 hosts less than half a megabyte', () => {
    expect(reportHtml(plausibleResult({ hosts: 320 })).length).toBeLessThan(500_000)
  })

  it.each<[string, Result]>([
    ['in which nothing happened', new Recorder(smallScenario(), { engine: 'sim', shoal: '1' }).result({ durationMs: 0, isPartial: true })],
    ['in which nobody pulls', new Recorder(smallScenario({ pulls: [] }), { engine: 'live', shoal: '1' }).result({ durationMs: 100, isPartial: false })],
    ['without an origin', new Recorder(smallScenario({ origin: undefined }), { engine: 'sim', shoal: '1' }).result({ durationMs: 100, isPartial: true })]
  ])('of a run %s is a page too', (_, result) => {
    const page = reportHtml(result)
    expectSelfContained(page)
    expect(page).not.toMatch(/NaN|undefined|Infinity/)
  })
})

describe('a comparison', () => {
  it('has both runs in each picture and each figure', () => {
    const page = comparisonHtml(plausibleResult(), plausibleResult({ seed: 2, slowness: 1.3 }))
    expectSelfContained(page)
    expect(page).toContain('<td data-title="B against A" class="number">+28')
    expect(page.match(/<figure /g)).toHaveLength(2)
  })
})

describe('a sweep', () => {
  const points = [10, 100].map(hosts => ({ value: String(hosts), result: plausibleResult({ hosts }) }))

  it('draws growth along powers of ten for numbers', () => {
    const page = sweepHtml('hosts', points)
    expectSelfContained(page)
    expect(page).toContain('hosts grows tenfold over equal distances')
    expect(page.match(/<tbody>[^]*<\/tbody>/)?.[0].match(/<tr>/g)).toHaveLength(2)
  })

  it('sets what is no number side by side', () => {
    const page = sweepHtml('origin.up', points.map(({ result }, index) => ({ value: ['1MB/s', '1GB/s'][index] ?? '', result })))
    expect(page).not.toContain('tenfold')
    expect(page).toContain('>1GB/s</text>')
  })

  it('that was ended before its first run says so', () => {
    expect(sweepHtml('hosts', [])).toContain('No run had begun')
  })
})
