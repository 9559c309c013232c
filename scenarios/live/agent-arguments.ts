import type { HostGroup, Scenario } from '../scenario.ts'

export interface AgentArgumentsInit {
  /** Links are shaped; else the agent keeps to the rates of its link by itself. */
  readonly isShaped: boolean
  /** Of a swarm of those who have it. */
  readonly swarmKey: string | undefined
}

/** Command line of an agent of that group, without its addresses. Each event is logged, for who reads the log. */
export function agentArguments ({ agent }: Pick<Scenario, 'agent'>, { up, down, zone, isLeech }: HostGroup, { isShaped, swarmKey }: AgentArgumentsInit): string[] {
  const limit = (flag: string, limit: number, link: number): string[] => {
    const rate = isShaped ? limit : Math.min(limit, link)
    return rate === Infinity ? [] : [flag, `${rate / 1e6}MB/s`]
  }
  return [
    '--log-level', 'trace', '--log-format', 'json',
    '--origin-policy', agent.originPolicy,
    '--origin-concurrency', String(agent.originConcurrency),
    '--max-members', String(agent.maxMembers),
    '--upload-slots', String(agent.uploadSlots),
    ...limit('--upload-limit', agent.uploadLimit, up),
    ...limit('--download-limit', agent.downloadLimit, down),
    ...zone === undefined ? [] : ['--zone', zone],
    ...isLeech ? ['--leech'] : [],
    ...swarmKey === undefined ? [] : ['--swarm-key', swarmKey]
  ]
}
