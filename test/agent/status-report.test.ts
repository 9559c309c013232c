import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ByteCounters } from '../../agent/byte-counters.ts'
import { createStatusReport, type StatusReport } from '../../agent/status-report.ts'
import type { SwarmNode } from '../../src/net/node.ts'
import { seededBytes } from '../support/image.ts'
import { Gate } from '../support/gate.ts'
import { until } from '../../scenarios/live/until.ts'
import { createTestAgent, REPOSITORY, storeBlob, type TestAgent } from './http/test-agent.ts'

type PeerConnection = ReturnType<SwarmNode['connections']>[number]

const STARTED_AT = Date.now() - 5000
const ADDRESS = '/ip4/10.0.0.1/tcp/5001'

let agent: TestAgent
let report: StatusReport
let counters: ByteCounters
let connections: PeerConnection[]
let addresses: string[]

beforeEach(() => {
  agent = createTestAgent()
  counters = new ByteCounters({ events: agent.hub })
  connections = []
  addresses = [`${ADDRESS}/p2p/self`]
  const node = {
    peerId: 'self',
    addresses: () => addresses,
    connections: () => connections
  }
  report = createStatusReport({ node, counters, store: agent.store, puller: agent.puller, score: agent.score, events: agent.hub }, { startedAt: STARTED_AT, version: '1.2.3', isKeyed: true })
})

afterEach(async () => {
  report.close()
  counters.close()
  await agent.close()
})

describe('the status', () => {
  it('of an agent that does nothing has all its parts', async () => {
    const status = await report.status()
    expect(status).toEqual({
      peerId: 'self',
      addresses,
      version: '1.2.3',
      uptimeMs: status.uptimeMs,
      peers: 0,
      sessions: [],
      store: { blobs: 0, bytes: 0, partials: 0 },
      bytes: { fromPeers: 0, fromOrigin: 0, fromStore: 0, toPeers: 0, toClients: 0 },
      swarm: 'keyed',
      banned: []
    })
    expect(status.uptimeMs).toBeGreaterThanOrEqual(5000)
  })

  it('tells of each blob being fetched', async () => {
    const blob = seededBytes(1_000_000, 'session')
    const gate = new Gate()
    gate.release(4)
    const digest = agent.origin.addBlob(REPOSITORY, blob, { gate, chunkBytes: 65_536 })
    const controller = new AbortController()
    const callers = [0, 1].map(async () => agent.puller.blobs.fetch(REPOSITORY, digest, { signal: controller.signal }))
    const sessions = await until(async () => {
      const { sessions } = await report.status()
      return sessions[0]?.received === 4 * 65_536 && sessions[0].callers === 2 ? sessions : undefined
    }, { what: 'a session' })
    expect(JSON.parse(JSON.stringify(sessions))).toEqual([expect.objectContaining({ digest, size: blob.length, received: 4 * 65_536, callers: 2, startedAt: expect.any(Number) as number })])
    gate.open()
    await Promise.all(callers)
    await until(async () => (await report.status()).sessions.length === 0, { what: 'no session' })
    expect((await report.status()).bytes).toMatchObject({ fromOrigin: blob.length })
    expect((await report.status()).store).toEqual({ blobs: 1, bytes: blob.length, partials: 0 })
  })

  it('counts agents, not connections', async () => {
    connections = [connection('a'), connection('a', { direction: 'outbound' }), connection('b')]
    expect((await report.status()).peers).toBe(2)
  })

  it('tells who is banned, why, and until when', async () => {
    const { untilMs } = agent.score.ban('liar', 'sent wrong bytes', Date.now())
    expect((await report.status()).banned).toEqual([{ peer: 'liar', reason: 'sent wrong bytes', until: untilMs }])
  })

  it('has no addresses when nobody can dial it', async () => {
    addresses = []
    expect(await report.status()).toMatchObject({ peerId: 'self', addresses: [] })
  })
})

describe('the peers', () => {
  it('are listed once each, with all their addresses and what went to and fro', async () => {
    const digest = await storeBlob(agent, Buffer.from('x'))
    agent.hub.emit({ type: 'peer:connected', peer: 'a' })
    agent.hub.emit({ type: 'peer:served', peer: 'a', digest, bytes: 10 })
    agent.hub.emit({ type: 'peer:served', peer: 'a', digest, bytes: 5 })
    agent.hub.emit({ type: 'fetch:received', digest, source: 'peer:a', bytes: 7 })
    agent.hub.emit({ type: 'fetch:received', digest, source: 'origin', bytes: 1000 })
    connections = [connection('a', { rttMs: 3 }), connection('a', { address: '/ip4/10.0.0.2/tcp/1' }), connection('b', { direction: 'outbound' })]
    const [a, b, ...others] = report.peers()
    expect(a).toMatchObject({ peer: 'a', addresses: [ADDRESS, '/ip4/10.0.0.2/tcp/1'], bytesFrom: 7, bytesTo: 15 })
    expect(a?.connectedAt).toBeGreaterThanOrEqual(STARTED_AT + 5000)
    expect(b).toEqual({ peer: 'b', addresses: [ADDRESS], direction: 'outbound', connectedAt: STARTED_AT, bytesFrom: 0, bytesTo: 0 })
    expect(others).toEqual([])
  })

  it('keep what is known of them over both of their connections', () => {
    connections = [connection('a', { direction: 'outbound', rttMs: 3 }), connection('a', { direction: 'inbound' })]
    expect(report.peers()).toEqual([expect.objectContaining({ direction: 'outbound', rttMs: 3 })])
  })

  it('are marked when banned', () => {
    connections = [connection('a'), connection('b')]
    agent.score.ban('a', 'lied', Date.now())
    expect(report.peers().map(({ peer, banned }) => [peer, banned])).toEqual([['a', true], ['b', undefined]])
  })
})

function connection (peer: string, facts: Partial<PeerConnection> = {}): PeerConnection {
  return { peer, address: ADDRESS, direction: 'inbound', ...facts }
}
