import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { streamPair } from '@libp2p/utils'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createStack, type SwarmLibp2p } from '../../src/net/libp2p-stack.ts'
import { StreamTransport } from '../../src/net/stream-transport.ts'
import { listen, testFrameTransport } from './frame-transport-contract.ts'

const PROTOCOL = '/shoal/test/1'
const nodes: SwarmLibp2p[] = []
let inbound = Promise.withResolvers<Stream>()

beforeAll(async () => {
  for (let index = 0; index < 2; index++) {
    const node = await createStack({
      privateKey: await generateKeyPair('Ed25519'), listen: [multiaddr('/ip4/127.0.0.1/tcp/0')], announce: [], mdns: false, swarmKey: undefined, datastore: undefined, agentVersion: 'test', maxConnections: 10, onHeard: () => {}
    })
    nodes.push(node)
    await node.start()
  }
  await nodes[1]?.handle(PROTOCOL, stream => { inbound.resolve(stream) })
})

afterAll(async () => {
  await Promise.all(nodes.map(async node => { await node.stop() }))
})

testFrameTransport('a transport over a libp2p stream', async init => {
  const [one, other] = nodes as [SwarmLibp2p, SwarmLibp2p]
  inbound = Promise.withResolvers<Stream>()
  const connection = await one.dial(other.getMultiaddrs())
  const local = new StreamTransport(await connection.newStream(PROTOCOL), init)
  const remote = new StreamTransport(await inbound.promise, init)
  return {
    local,
    remote,
    cut: () => { connection.abort(new Error('cut')) },
    close: async () => {
      local.abort(new Error('over'))
      remote.abort(new Error('over'))
    }
  }
})

it('gives the stream all parts of a frame at once', async () => {
  const [stream, other] = await streamPair({ delay: 0, capacity: 64 })
  const sent: number[] = []
  const send = stream.send.bind(stream)
  stream.send = data => {
    sent.push(data.byteLength)
    return send(data)
  }
  const transport = new StreamTransport(stream)
  listen(new StreamTransport(other))
  await transport.send([Buffer.alloc(3), Buffer.alloc(0), Buffer.alloc(20), Buffer.alloc(5)])
  expect(sent).toEqual([28])
  transport.abort(new Error('over'))
})

it('knows a stream that was dead on arrival', async () => {
  const [stream, other] = await streamPair({ delay: 0 })
  const closed = new Promise(resolve => { stream.addEventListener('close', resolve, { once: true }) })
  other.abort(new Error('refused'))
  await closed
  const transport = new StreamTransport(stream)
  expect(await listen(transport).closed()).toMatchObject({ code: 'STREAM_CUT' })
  await expect(transport.send([Buffer.of(1)])).rejects.toMatchObject({ code: 'LANE_CLOSED' })
})
