import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventHub } from '../../src/events.ts'
import { createSwarmNode, type SwarmNode } from '../../src/net/node.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { startBadPeer, type BadPeerBehaviour } from '../support/peer-zoo.ts'
import { until } from '../../scenarios/live/until.ts'
import { collect } from './exchange.ts'

const BYTES = randomBytes(600_000)
const DIGEST = digestOf(BYTES)

describe('a node that reads from a bad peer', () => {
  let node: SwarmNode

  beforeAll(async () => {
    node = createSwarmNode({ events: new EventHub() }, {
      listen: ['/ip4/127.0.0.1/tcp/0'],
      client: { firstByteTimeoutMs: 400, haveTimeoutMs: 400, chunkTimeoutMs: 500, chunkBytes: 200_000, windowChunks: 2 }
    })
    await node.start()
  })

  afterAll(async () => { await node.stop() })

  async function meet (behaviour: BadPeerBehaviour) {
    const peer = await startBadPeer({ behaviour, content: new Map([[DIGEST, BYTES]]), bootstrap: node.addresses() })
    await until(() => node.content.neighbours().includes(peer.peerId), { what: 'the peer is a neighbour' })
    return peer
  }

  it.each<[BadPeerBehaviour, string, boolean]>([
    ['announces too much', 'PEER_PROTOCOL', true],
    ['announces too little', 'PEER_PROTOCOL', true],
    ['sends too many bytes', 'PEER_PROTOCOL', true],
    ['is silent', 'PEER_STALLED', false],
    ['is silent within a blob', 'PEER_STALLED', false],
    ['sends a byte a second', 'PEER_STALLED', false],
    ['dies within a blob', 'PEER_GONE', false],
    ['ends the stream within a blob', 'PEER_GONE', false],
    ['changes the size', 'PEER_PROTOCOL', true],
    ['answers another request', 'PEER_PROTOCOL', true],
    ['answers garbage', 'PEER_PROTOCOL', true],
    ['is busy', 'PEER_BUSY', false],
    ['denies', 'PEER_DENIED', false]
  ])('that %s ends the read with %s in time and frees the stream', async (behaviour, code, blamesPeer) => {
    const peer = await meet(behaviour)
    const startedAt = performance.now()
    await expect(node.content.read(peer.peerId, 'blob', DIGEST, 0).then(async ({ body }) => collect(body)))
      .rejects.toMatchObject({ code, blamesPeer, peer: peer.peerId })
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    await until(() => peer.openStreams() === 0, { what: 'the stream is free' })
    await peer.stop()
  })

  it('gets the wrong bytes of one that flips a byte: nothing here verifies', async () => {
    const peer = await meet('flips a byte')
    const bytes = await collect((await node.content.read(peer.peerId, 'blob', DIGEST, 0)).body)
    expect(bytes).toHaveLength(BYTES.length)
    expect(digestOf(bytes)).not.toBe(DIGEST)
    await peer.stop()
  })

  it('is told of anything by one that claims everything', async () => {
    const peer = await meet('claims everything')
    expect(await node.content.have(peer.peerId, 'manifest', digestOf(Buffer.from('made up')))).toMatchObject({ peer: peer.peerId })
    await peer.stop()
  })

  it.each<[BadPeerBehaviour, string]>([['is silent', 'PEER_STALLED'], ['answers garbage', 'PEER_PROTOCOL'], ['is busy', 'PEER_BUSY']])('that %s ends a have? with %s', async (behaviour, code) => {
    const peer = await meet(behaviour)
    await expect(node.content.have(peer.peerId, 'blob', DIGEST)).rejects.toMatchObject({ code })
    await until(() => peer.openStreams() === 0, { what: 'the stream is free' })
    await peer.stop()
  })

  it('reads from an honest peer right after, on the same connection', async () => {
    const peer = await meet('honest')
    expect(digestOf(await collect((await node.content.read(peer.peerId, 'blob', DIGEST, 0)).body))).toBe(DIGEST)
    expect(peer.asked.map(({ operation }) => operation)).toEqual(['read', 'read', 'read'])
    await peer.stop()
  })
})
