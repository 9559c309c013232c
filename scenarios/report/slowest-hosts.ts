import { bytesText } from '../quantity-text.ts'
import { html } from './markup.ts'
import { rankSlowest, reasonOf, timeOf } from './slow-host.ts'
import { table } from './table.ts'
import type { Result } from '../result.ts'
import type { Markup } from './markup.ts'

const ROWS = 12

/** Hosts that were done last or never, slowest first, each with what held it up. Who went away is among the events. */
export function slowestHosts (result: Result): Markup {
  const hosts = rankSlowest(result.hosts).slice(0, ROWS)
  if (hosts.length === 0) return html`<p class="note">No host began to pull.</p>`
  const rows = hosts.map(host => [host.name, timeOf(host, result.durationMs), reasonOf(host, result), bytesText(host.fromMembers), bytesText(host.fromOrigin)])
  return html`${table([{ title: 'Host' }, { title: 'Took', isNumber: true }, { title: 'Why' }, { title: 'From other hosts', isNumber: true }, { title: 'From the origin', isNumber: true }], rows)}
<p class="note">What held each up most, moment by moment, while it lacked something. A host whose own link was full could not have been faster.</p>`
}
