import { setTimeout as sleep } from 'node:timers/promises'
import { AgentProcess } from '../scenarios/live/agent-process.ts'
import { residentBytes } from '../scenarios/live/process-usage.ts'
import { atMost, type Section } from './support/report.ts'
import { median, spread } from './support/samples.ts'

const ROUNDS = 5
const MAX_READY_SECONDS = 1.5
const SETTLE_MS = 3000
const POLL_MS = 5

/** (e) From the start of the process to `/readyz`, and what it holds when it has nothing to do. */
export async function benchFootprint (): Promise<Section> {
  const ready: number[] = []
  const idle: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const startedAt = performance.now()
    const agent = await AgentProcess.launch()
    try {
      while (!await isReady(agent)) await sleep(POLL_MS)
      ready.push((performance.now() - startedAt) / 1000)
      await sleep(SETTLE_MS)
      idle.push((await residentBytes(agent.pid)).now / 1e6)
    } finally {
      await agent.stop()
    }
  }
  return {
    title: `(e) start and footprint, ${ROUNDS} starts`,
    rows: [
      atMost('start to ready, s', median(ready), MAX_READY_SECONDS, spread(ready)),
      { what: 'RSS idle, MB', value: spread(idle, 0) }
    ]
  }
}

async function isReady (agent: AgentProcess): Promise<boolean> {
  try {
    const { ok } = await fetch(`${agent.url}/readyz`)
    return ok
  } catch {
    return false
  }
}
