import { expect, it } from 'vitest'
import { eventsSection } from '../../../scenarios/report/events-section.ts'
import { plausibleResult } from '../plausible-run.ts'
import type { RunEvent } from '../../../scenarios/result.ts'

it('events stand in the order of time, with their host and their detail', () => {
  const rows = [...eventsSection(plausibleResult()).text.matchAll(/<td[^>]*>([^<]*)<\/td><td[^>]*>([^<]*)<\/td><td[^>]*>([^<]*)<\/td>/g)].map(([, , host, what]) => [host === '', what])
  expect(rows).toContainEqual([false, 'was killed'])
  expect(rows).toContainEqual([false, 'became slow: 40 % of its rates remain'])
  expect(rows.slice(-2)).toEqual([[true, 'the origin went down'], [true, 'the origin came back']])
})

it('of many, the rarest kinds are shown and all are counted', () => {
  const events = Array.from({ length: 200 }, (_, index): RunEvent => ({ atMs: index, type: index === 150 ? 'origin-down' : 'origin-rejected', host: null, detail: '' }))
  const text = eventsSection({ ...plausibleResult(), events, eventsLeftOut: 30 }).text
  expect(text).toContain('199 × origin-rejected, 1 × origin-down, and 30 more that were not kept')
  expect(text).toContain('the origin went down')
  expect(text).toContain('170 more are not shown')
})

it('no event is good news', () => {
  expect(eventsSection({ ...plausibleResult(), events: [] }).text).toContain('Nothing out of the ordinary happened')
})
