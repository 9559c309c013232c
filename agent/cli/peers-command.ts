import { printable } from '../../src/values/printable.ts'
import { AgentApi } from './agent-api.ts'
import { agentUrl } from './agent-url.ts'
import { humanBytes, humanDuration, textTable } from '../../src/values/human.ts'
import type { PeerAnswer } from '../api-types.ts'
import type { CliContext } from './cli-context.ts'

/** `shoal peers`. */
export async function runPeersCommand (options: Readonly<Record<string, unknown>>, context: CliContext): Promise<void> {
  const api = new AgentApi({ url: await agentUrl(options.http, context) })
  const peers = await api.get<readonly PeerAnswer[]>('/api/v1/peers')
  context.stdout.write(options.json === true ? `${JSON.stringify(peers, undefined, 2)}\n` : describePeers(peers, Date.now()))
}

/** For a person. `now` is milliseconds since the epoch. */
export function describePeers (peers: readonly PeerAnswer[], now: number): string {
  if (peers.length === 0) return 'no peers: name an agent to join with --bootstrap, or check that multicast reaches this network\n'
  return textTable([
    ['PEER', 'ADDRESS', 'DIRECTION', 'CONNECTED', 'RTT', 'FROM', 'TO', ''],
    ...peers.map(peer => [
      printable(peer.peer),
      printable(peer.addresses[0] ?? '-'),
      peer.direction,
      humanDuration(Math.max(0, now - peer.connectedAt)),
      peer.rttMs === undefined ? '-' : `${Math.round(peer.rttMs)} ms`,
      humanBytes(peer.bytesFrom),
      humanBytes(peer.bytesTo),
      peer.banned === true ? 'banned' : ''
    ])
  ])
}
