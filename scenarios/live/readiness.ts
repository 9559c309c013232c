import { setTimeout as delay } from 'node:timers/promises'
import type { AgentProcess } from './agent-process.ts'
import { totalCpuSeconds } from './process-usage.ts'
import { until } from './until.ts'

const NEIGHBOUR_TIMEOUT_MS = 20_000
const POLL_MS = 100
/** Each agent uses less than this share of a processor when they are idle. */
const QUIET_SHARE = 0.008
const QUIET_WINDOW_MS = 2_000
const QUIET_TIMEOUT_MS = 400_000

/** Agents that start at a time: each wants a processor for a second. */
export const START_WIDTH = 3

/** Waits until each has a neighbour. */
export async function linked (agents: readonly AgentProcess[]): Promise<void> {
  if (agents.length === 1) return
  await until(async () => {
    await delay(POLL_MS)
    return (await neighbourCounts(agents)).every(count => count > 0)
  }, { what: 'each agent has a neighbour', timeoutMs: NEIGHBOUR_TIMEOUT_MS })
}

/** Waits until the agents have told the DHT of what they hold, which takes as long as the processors are slow. */
export async function idle (agents: readonly AgentProcess[]): Promise<void> {
  const used = async (): Promise<number> => totalCpuSeconds(agents.map(({ pid }) => pid))
  let before = await used()
  await until(async () => {
    await delay(QUIET_WINDOW_MS)
    const now = await used()
    const share = (now - before) * 1000 / QUIET_WINDOW_MS
    before = now
    return share < QUIET_SHARE * agents.length
  }, { what: 'the agents are idle', timeoutMs: QUIET_TIMEOUT_MS })
}

/** Connected agents of each. */
export async function neighbourCounts (agents: readonly AgentProcess[]): Promise<number[]> {
  return Promise.all(agents.map(async agent => (await agent.status()).peers))
}
