import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { loadConfig } from '../../agent/config/load.ts'
import { createLogger } from '../../agent/log.ts'
import { startSwarmNode } from '../../agent/swarm-start.ts'
import { EventHub } from '../../src/events.ts'
import { SwarmNode } from '../../src/net/node.ts'
import { makeTempDir, removeTempDir } from '../../scenarios/live/temp-dir.ts'
import { until } from '../../scenarios/live/until.ts'

const share = { open: async () => undefined }
let dir: string
beforeEach(async () => { dir = await makeTempDir('swarm-start') })
afterEach(async () => { await removeTempDir(dir) })

it('goes on without listening where the port is taken, says so once, and still reaches others', async () => {
  const other = new SwarmNode({ events: new EventHub() }, { listen: ['/ip4/127.0.0.1/tcp/0'] })
  await other.start()
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const lines: string[] = []
  const { port } = taken.address() as AddressInfo
  const { config } = await loadConfig({ flags: { data: dir, p2p: [`/ip4/127.0.0.1/tcp/${port}`], mdns: false, bootstrap: other.addresses() }, env: {} })
  const node = await startSwarmNode(config, { events: new EventHub(), log: createLogger({ write: line => { lines.push(line) } }), share, pace: { pass: async () => {} }, agentVersion: 'test' })
  try {
    await until(() => node.content.neighbours().includes(other.peerId), { what: 'it reaches the other' })
    expect(lines.filter(line => line.includes(String(port)))).toHaveLength(1)
  } finally {
    await node.stop()
    await other.stop()
    taken.close()
  }
})
