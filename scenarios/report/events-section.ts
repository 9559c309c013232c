import { countText, durationText } from '../quantity-text.ts'
import { html } from './markup.ts'
import { table } from './table.ts'
import type { Result, RunEvent, RunEventType } from '../result.ts'
import type { Markup } from './markup.ts'

const MAX_ROWS = 60

const WORDS: Readonly<Record<RunEventType, string>> = {
  killed: 'was killed',
  restarted: 'was restarted',
  slowed: 'became slow',
  stalled: 'stalled',
  recovered: 'recovered',
  lied: 'sent a wrong piece',
  banned: 'was banned',
  partitioned: 'was cut off',
  'joined-again': 'was joined again',
  'dht-lost': 'lookups in the DHT began to fail',
  'origin-down': 'the origin went down',
  'origin-up': 'the origin came back',
  'origin-rejected': 'was rejected by the origin',
  left: 'went away',
  'came-back': 'came back',
  failed: 'gave up',
  'ended-early': 'the run was ended'
}

/** Faults and other things out of the ordinary: how often, and when. */
export function eventsSection ({ events, eventsLeftOut }: Result): Markup {
  if (events.length === 0) return html`<p class="note">Nothing out of the ordinary happened: no fault, no outage, nobody went away.</p>`
  const shown = shownEvents(events)
  const hidden = events.length - shown.length + eventsLeftOut
  const rows = shown.map(event => [durationText(event.atMs), event.host ?? '', wordsOf(event)])
  return html`<p class="note">In all: ${countsOf(events)}${eventsLeftOut > 0 ? html`, and ${countText(eventsLeftOut)} more that were not kept` : ''}.</p>
${table([{ title: 'When', isNumber: true }, { title: 'Host' }, { title: 'What happened' }], rows)}
${hidden > 0 ? html`<p class="note">${countText(hidden)} more are not shown: the rarest kinds of events come first.</p>` : ''}`
}

/** Of many, those of the rarest kinds, in the order of time. */
function shownEvents (events: readonly RunEvent[]): RunEvent[] {
  if (events.length <= MAX_ROWS) return [...events]
  const counts = countByType(events)
  const rarest = [...events].sort((a, b) => (counts.get(a.type) ?? 0) - (counts.get(b.type) ?? 0)).slice(0, MAX_ROWS)
  return rarest.sort((a, b) => a.atMs - b.atMs)
}

function countsOf (events: readonly RunEvent[]): string {
  return [...countByType(events)].map(([type, count]) => `${countText(count)} × ${type}`).join(', ')
}

function countByType (events: readonly RunEvent[]): Map<RunEventType, number> {
  const counts = new Map<RunEventType, number>()
  for (const { type } of events) counts.set(type, (counts.get(type) ?? 0) + 1)
  return counts
}

function wordsOf ({ type, detail }: RunEvent): string {
  return detail === '' ? WORDS[type] : `${WORDS[type]}: ${detail}`
}
