import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { comparisonText } from '../../../scenarios/report/comparison-text.ts'
import { sweepText } from '../../../scenarios/report/sweep-text.ts'
import { reportText } from '../../../scenarios/report/text.ts'
import { plausibleResult } from '../plausible-run.ts'
import type { Result } from '../../../scenarios/result.ts'

describe('the summary in a terminal', () => {
  it('says what was expected, what was found, and what held up the slowest', () => {
    const text = reportText(plausibleResult())
    expect(text).toMatch(/^plausible <rollout> \(sim, seed 1, Shoal 0\.1\.0\)\nAll 48 hosts had the image/)
    expect(text).toMatch(/^met {5}completion\.p99 <= 2\.5 x bound +\d+\.\d\d s +50\.\d\d s$/m)
    expect(text).toMatch(/^MISSED {2}completion\.p50 <= 5s/m)
    expect(text).toMatch(/^rack +38 of 38 /m)
    expect(text).toMatch(/^SLOWEST +TOOK {2}WHY\nrack-\d+ +\d+\.\d\d s {2}its link was made slow/m)
  })

  it.each([60, 80, 120])('keeps to %d letters a line', width => {
    for (const line of reportText(plausibleResult({ endMs: 3000 }), { width }).split('\n')) expect(line.length).toBeLessThanOrEqual(width)
  })

  it('has the same words with colours', () => {
    const coloured = reportText(plausibleResult(), { colour: true })
    expect(coloured).toContain('\u001b[31mMISSED\u001b[39m')
    expect(stripVTControlCharacters(coloured).replaceAll(/ +$/gm, '')).toBe(reportText(plausibleResult()))
  })

  it('lets no name change the terminal', () => {
    const result = plausibleResult()
    const evil: Result = { ...result, scenario: { ...result.scenario, name: 'a\u001b[2Jb\nc' } }
    expect(reportText(evil).split('\n')[0]).toBe('ab\\u000ac (sim, seed 1, Shoal 0.1.0)')
  })
})

it('a comparison has a line for each figure that one of the runs has, and its difference', () => {
  const text = comparisonText(plausibleResult(), plausibleResult({ seed: 2, hasFaults: false, slowness: 1.3 }))
  expect(text).toMatch(/^A: plausible <rollout>, sim, 51 hosts, seed 1, Shoal 0\.1\.0\nB: .* seed 2, /)
  expect(text).toMatch(/^completion\.p50 +11\.\d\d s +14\.\d\d s +\+2\d\.\d %$/m)
  expect(text).toMatch(/^wrong\.bytes +0 B +0 B +same$/m)
  expect(text).toMatch(/^liars\.banned\.share +100 % +none$/m)
  expect(text).not.toContain('group.seeder')
})

it('a sweep has a line for each value', () => {
  const text = sweepText('hosts', [10, 100].map(hosts => ({ value: String(hosts), result: plausibleResult({ hosts }) })))
  expect(text).toMatch(/^HOSTS +HOSTS DONE +T\*.*\n10 +100 %.*\n100 +100 %.*\n$/)
})
