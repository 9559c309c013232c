import { AgentProcess, type AgentInit } from '../../scenarios/live/agent-process.ts'
import type { Parts } from './parts.ts'

/** Real agents: the first, and then all others at once, which join by it. Resolves when each knows all others. @param init - of each, by its place */
export async function startFleet (parts: Parts, count: number, init: (place: number) => AgentInit): Promise<AgentProcess[]> {
  const first = parts.keep(await AgentProcess.start(init(0)))
  const others = await Promise.all(Array.from({ length: count - 1 }, async (_, index) => parts.keep(await AgentProcess.start({ ...init(index + 1), bootstrap: [first.multiaddr] }))))
  const agents = [first, ...others]
  await Promise.all(agents.map(async agent => { await agent.connectedTo(...agents.filter(other => other !== agent)) }))
  return agents
}
