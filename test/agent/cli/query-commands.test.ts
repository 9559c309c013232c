import { join } from 'node:path'
import { writeFile } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { describePeers } from '../../../agent/cli/peers-command.ts'
import { describeStatus } from '../../../agent/cli/status-command.ts'
import { CliHarness, serve, temporaryDirectory } from './cli-harness.ts'
import type { PeerAnswer, StatusAnswer } from '../../../agent/api-types.ts'

const NOW = 1_800_000_000_000
const STATUS: StatusAnswer = {
  peerId: '12D3KooWa',
  addresses: ['/ip4/192.0.2.1/tcp/5001', '/ip6/::1/tcp/5001'],
  version: '1.2.3',
  uptimeMs: 200_000,
  peers: 1,
  sessions: [{ digest: `sha256:${'0123456789abcdef'.repeat(4)}`, received: 1_000_000, size: 3_420_000, callers: 2, startedAt: NOW - 2500 }, { digest: `sha256:${'f'.repeat(64)}`, received: 0, callers: 1, startedAt: NOW + 5 }],
  store: { blobs: 12, bytes: 3_420_000, partials: 1 },
  bytes: { fromPeers: 1000, fromOrigin: 2000, fromStore: 3000, toPeers: 4000, toClients: 5000 },
  swarm: 'keyed',
  banned: [{ peer: '12D3KooWb', reason: 'wrong bytes\u001b[2J', until: NOW + 60_000 }]
}
const PEERS: readonly PeerAnswer[] = [
  { peer: '12D3KooWb', addresses: ['/ip4/192.0.2.2/tcp/5001'], direction: 'inbound', connectedAt: NOW - 61_000, rttMs: 1.4, bytesFrom: 1000, bytesTo: 0, banned: true },
  { peer: '12D3KooWc', addresses: [], direction: 'outbound', connectedAt: NOW, bytesFrom: 0, bytesTo: 5 }
]

it('the status of an agent fits on a page', () => {
  expect(describeStatus(STATUS, NOW)).toBe(`\
agent      12D3KooWa, version 1.2.3, up 3 min 20 s
addresses  /ip4/192.0.2.1/tcp/5001
           /ip6/::1/tcp/5001
swarm      closed by a key, 1 peer connected
store      12 blobs, 3.42 MB, and 1 partial blob
received   1.00 kB from peers, 2.00 kB from origins
sent       5.00 kB to clients (3.00 kB out of the store), 4.00 kB to peers

FETCHING      RECEIVED            CALLERS  SINCE
0123456789ab  1.00 MB of 3.42 MB  2        2.5 s
ffffffffffff  0 B                 1        0 ms

BANNED     FOR    REASON
12D3KooWb  1 min  wrong bytes
`)
  expect(describeStatus({ ...STATUS, sessions: [], banned: [], addresses: [] }, NOW)).not.toMatch(/FETCHING|BANNED|addresses/)
})

it('peers are a table, or a hint when there are none', () => {
  expect(describePeers(PEERS, NOW)).toBe(`\
PEER       ADDRESS                  DIRECTION  CONNECTED  RTT   FROM     TO
12D3KooWb  /ip4/192.0.2.2/tcp/5001  inbound    1 min 1 s  1 ms  1.00 kB  0 B  banned
12D3KooWc  -                        outbound   0 ms       -     0 B      5 B
`)
  expect(describePeers([], NOW)).toContain('--bootstrap')
})

it.each([['status', STATUS], ['peers', PEERS]] as const)('%s asks the agent and prints its answer for people or as JSON', async (command, answer) => {
  const url = await serve((request, response) => { response.end(request.url === `/api/v1/${command}` ? JSON.stringify(answer) : '') })
  const [human, json] = [new CliHarness(), new CliHarness()]
  expect(await human.run(command, '--http', url)).toBe(0)
  expect(human.stdout.text).toContain('12D3KooW')
  expect(await json.run(command, '--http', `${url}/`, '--json')).toBe(0)
  expect(JSON.parse(json.stdout.text)).toEqual(answer)
})

it('the agent is looked for where the configuration lets it listen', async () => {
  const url = new URL(await serve((_, response) => { response.end(JSON.stringify(PEERS)) }))
  const cli = new CliHarness()
  cli.env.SHOAL_HTTP = `0.0.0.0:${url.port}`
  expect(await cli.run('peers', '--json')).toBe(0)
  const file = join(await temporaryDirectory(), 'shoal.yaml')
  await writeFile(file, `http: 127.0.0.1:${url.port}`)
  const other = new CliHarness()
  other.env.SHOAL_CONFIG = file
  expect(await other.run('peers', '--json')).toBe(0)
})

it('an agent on any free port must be named', async () => {
  const cli = new CliHarness()
  cli.env.SHOAL_HTTP = '127.0.0.1:0'
  expect(await cli.run('status')).toBe(2)
  expect(cli.stderr.text).toContain('--http URL')
})

it('what is no agent is told so', async () => {
  const cli = new CliHarness()
  expect(await cli.run('status', '--http', await serve((_, response) => { response.end('<html>') }))).toBe(1)
  expect(cli.stderr.text).toContain('is no shoal agent')
  const missing = new CliHarness()
  expect(await missing.run('status', '--http', await serve((_, response) => { response.writeHead(404).end('nothing\u001b[2J here') }))).toBe(1)
  expect(missing.stderr.text).toMatch(/answers 404: nothing here\n$/)
})
