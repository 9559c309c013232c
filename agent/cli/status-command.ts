import { printable } from '../../src/values/printable.ts'
import { AgentApi } from './agent-api.ts'
import { agentUrl } from './agent-url.ts'
import { humanBytes, humanDigest, humanDuration, textTable } from '../../src/values/human.ts'
import type { SessionStatus, StatusAnswer } from '../api-types.ts'
import type { CliContext } from './cli-context.ts'

/** `shoal status`. */
export async function runStatusCommand (options: Readonly<Record<string, unknown>>, context: CliContext): Promise<void> {
  const api = new AgentApi({ url: await agentUrl(options.http, context) })
  const status = await api.get<StatusAnswer>('/api/v1/status')
  context.stdout.write(options.json === true ? `${JSON.stringify(status, undefined, 2)}\n` : describeStatus(status, Date.now()))
}

/** For a person. `now` is milliseconds since the epoch. */
export function describeStatus (status: StatusAnswer, now: number): string {
  const { store, bytes, sessions, banned } = status
  const facts = textTable([
    ['agent', `${printable(status.peerId)}, version ${printable(status.version)}, up ${humanDuration(status.uptimeMs)}`],
    ...status.addresses.map((address, index) => [index === 0 ? 'addresses' : '', printable(address)]),
    ['swarm', `${status.swarm === 'keyed' ? 'closed by a key' : 'open'}, ${plural(status.peers, 'peer')} connected`],
    ['store', `${plural(store.blobs, 'blob')}, ${humanBytes(store.bytes)}${store.partials === 0 ? '' : `, and ${plural(store.partials, 'partial blob')}`}`],
    ['received', `${humanBytes(bytes.fromPeers)} from peers, ${humanBytes(bytes.fromOrigin)} from origins`],
    ['sent', `${humanBytes(bytes.toClients)} to clients (${humanBytes(bytes.fromStore)} out of the store), ${humanBytes(bytes.toPeers)} to peers`]
  ])
  const fetching = sessions.length === 0 ? '' : `\n${textTable([['FETCHING', 'RECEIVED', 'CALLERS', 'SINCE'], ...sessions.map(session => sessionRow(session, now))])}`
  const bans = banned.length === 0 ? '' : `\n${textTable([['BANNED', 'FOR', 'REASON'], ...banned.map(({ peer, until, reason }) => [printable(peer), humanDuration(Math.max(0, until - now)), printable(reason)])])}`
  return facts + fetching + bans
}

function sessionRow ({ digest, received, size, callers, startedAt }: SessionStatus, now: number): string[] {
  return [humanDigest(digest), `${humanBytes(received)}${size === undefined ? '' : ` of ${humanBytes(size)}`}`, String(callers), humanDuration(Math.max(0, now - startedAt))]
}

function plural (count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}
