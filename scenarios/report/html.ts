import { countText, durationText } from '../quantity-text.ts'
import { completionDistribution, doneCurve } from './completion-charts.ts'
import { eventsSection } from './events-section.ts'
import { expectationsTable } from './expectations-table.ts'
import { figuresTable } from './figures-table.ts'
import { groupSection } from './group-section.ts'
import { headline } from './headline.ts'
import { html } from './markup.ts'
import { page } from './page.ts'
import { parameters } from './parameters.ts'
import { slowestHosts } from './slowest-hosts.ts'
import { spreadChart } from './spread-chart.ts'
import { bytesBySource, originLoad, originRequests } from './traffic-charts.ts'
import type { EngineName, Result } from '../result.ts'
import type { Markup } from './markup.ts'

const ENGINES: Readonly<Record<EngineName, string>> = {
  sim: 'a simulation in virtual time',
  live: 'real agents and a real registry'
}

/** The report of one run as one HTML file: the same bytes for the same result. */
export function reportHtml (result: Result): string {
  const { scenario, engine, shoal } = result
  return page(`${scenario.name}: rollout report`, html`<header>
<h1>${scenario.name}</h1>
<p>${scenario.description}</p>
<p class="about">A rollout rehearsed by ${ENGINES[engine]}: seed ${scenario.seed}, Shoal ${shoal}, ${durationText(result.durationMs)} from start to end.</p>
</header>
<main>
${result.isPartial ? html`<p class="warning">This run was ended before its end. All that follows is of what had happened by then.</p>` : ''}
<h2>Expected and found</h2>
${expectationsTable(result)}
<h2>What happened</h2>
${headline(result)}
${doneCurve(result)}
${given(completionDistribution(result))}
<h2>Who sent the bytes</h2>
${bytesBySource(result)}
${given(originLoad(result))}
${given(originRequests(result))}
<h2>How it spread</h2>
${given(spreadChart(result))}
<h2>Groups of hosts</h2>
${groupSection(result)}
<h2>The slowest hosts, and why</h2>
${slowestHosts(result)}
<h2>Faults and other events</h2>
${eventsSection(result)}
<h2>All figures</h2>
${figuresTable(result)}
<p class="note">A percentile is the time of the host at that rank, so it is one that was measured. Hosts that went away before they were done and liars do not count; one that was never done ranks last.</p>
<h2>What was rehearsed</h2>
${parameters(scenario)}
<h2>Words</h2>
${WORDS}
</main>
<footer>Scenario ${scenario.name}, ${countText(result.hosts.length)} hosts, seed ${scenario.seed}, engine ${engine}, Shoal ${shoal}. The same scenario, seed and version give the same simulation.</footer>`)
}

const WORDS = html`<p class="note"><b>Origin</b>: the registry the image comes from. <b>Piece</b>: a slice of a layer; hosts give each other pieces long before they have the whole. <b>T*</b>: the least time in which anybody could bring the image to all hosts over these links; latency, finding each other and checking are not in it. <b>Liar</b>: a host that sends wrong bytes on purpose. <b>In vain</b>: bytes that were sent and are of no use.</p>`

function given (part: Markup | undefined): Markup {
  return part ?? html``
}
