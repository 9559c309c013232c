import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, it } from 'vitest'
import { createStack, type SwarmLibp2p } from '../../src/net/libp2p-stack.ts'

const PING_PROTOCOL = '/ipfs/ping/1.0.0'
const ECHO_PROTOCOL = '/test/echo/1'
const STREAMS = 40
const ROUNDS = 5
const running: SwarmLibp2p[] = []

afterEach(async () => {
  await Promise.all(running.splice(0).map(async node => { await node.stop() }))
})

async function startNode (): Promise<SwarmLibp2p> {
  const node = await createStack({
    privateKey: await generateKeyPair('Ed25519'), listen: [multiaddr('/ip4/127.0.0.1/tcp/0')], announce: [], mdns: false, swarmKey: undefined, datastore: undefined, agentVersion: 'test', maxConnections: 10, onHeard: () => {}
  })
  running.push(node)
  await node.start()
  return node
}

it('has room for a ping beside others that have not ended: the monitor takes a refusal for a dead peer', async () => {
  const [one, other] = [await startNode(), await startNode()]
  const connection = await one.dial(other.getMultiaddrs())
  const streams = await Promise.all(Array.from({ length: 4 }, async () => connection.newStream(PING_PROTOCOL)))
  expect(streams.map(({ status }) => status)).toEqual(['open', 'open', 'open', 'open'])
})

it('takes as many streams as are opened in the instant of the dial, before its own side of the connection is ready', async () => {
  const other = await startNode()
  await other.handle(ECHO_PROTOCOL, () => {}, { maxInboundStreams: STREAMS })
  for (let round = 0; round < ROUNDS; round++) {
    const one = await startNode()
    const connection = await one.dial(other.getMultiaddrs())
    const streams = await Promise.all(Array.from({ length: STREAMS }, async () => connection.newStream(ECHO_PROTOCOL, { maxOutboundStreams: STREAMS })))
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 'open'))
  }
})
