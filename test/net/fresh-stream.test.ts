import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterEach, expect, it } from 'vitest'
import { openFreshStream } from '../../src/net/fresh-stream.ts'
import { createStack, type SwarmLibp2p } from '../../src/net/libp2p-stack.ts'
import { until } from '../../scenarios/live/until.ts'

const PROTOCOL = '/test/1'
const ATTEMPTS = 20
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

/** Ends what carries streams by a GOAWAY of yamux, and leaves the socket open. */
function endMuxer (connection: Connection): void {
  const { muxer } = connection as unknown as { muxer: { abort (error: Error): void } }
  muxer.abort(new Error('the test says so'))
}

/** A connection that is listed and open, but carries no streams. On a busy machine libp2p may close it by itself before we have seen it. */
async function withoutMuxer (one: SwarmLibp2p, other: SwarmLibp2p): Promise<Connection> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const connection = await one.dial(other.getMultiaddrs())
    await until(() => other.getConnections(one.peerId).length > 0, { what: 'both know of the connection' })
    for (const accepted of other.getConnections(one.peerId)) endMuxer(accepted)
    await until(async () => connection.newStream(PROTOCOL).then(stream => { stream.abort(new Error('not yet')) }).then(() => false, (error: Error) => error.name === 'ConnectionClosedError'), { what: 'the connection has no muxer' })
    if (connection.status === 'open') return connection
    await until(() => one.getConnections(other.peerId).length === 0, { what: 'it is listed no more' })
  }
  throw new Error(`libp2p has closed each of ${ATTEMPTS} connections by itself`)
}

it('comes over another connection when the other side has ended the muxer of the one that is listed', async () => {
  const [one, other] = [await startNode(), await startNode()]
  await other.handle(PROTOCOL, () => {})
  const connection = await withoutMuxer(one, other)

  const stream = await openFreshStream(one, other.peerId, PROTOCOL, { signal: AbortSignal.timeout(5_000) })
  expect(stream.status).toBe('open')
  expect(connection.status).toBe('aborted')
  expect(one.getConnections(other.peerId)).toHaveLength(1)
})
