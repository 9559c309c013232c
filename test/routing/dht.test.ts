import { describe, expect, it } from 'vitest'
import { EventHub } from '../../src/events.ts'
import { createSwarmNode, type SwarmNode } from '../../src/net/node.ts'
import { digestHex, digestOf } from '../../src/oci/digest.ts'
import { routingKey } from '../../src/routing/dht.ts'
import { testRouter } from './router-contract.ts'

testRouter('DHT', () => {
  const nodes: SwarmNode[] = []
  return {
    join: async () => {
      const node = createSwarmNode({ events: new EventHub() }, { listen: ['/ip4/127.0.0.1/tcp/0'], bootstrap: nodes[0]?.addresses() ?? [] })
      await node.start()
      nodes.push(node)
      return { peer: node.peerId, router: node.router }
    },
    stop: async () => { await Promise.all(nodes.map(async node => { await node.stop() })) }
  }
})

describe('the key of a blob in the DHT', () => {
  const bytes = Buffer.from('some content')

  it('is the sha256 of the content, as a raw CIDv1', () => {
    const digest = digestOf(bytes)
    expect(routingKey(digest)).toMatchObject({ version: 1, code: 0x55 })
    expect(Buffer.from(routingKey(digest).multihash.digest).toString('hex')).toBe(digestHex(digest))
  })

  it('is the sha256 of a longer digest\'s text, because longer multihashes cannot be keys', () => {
    const digest = digestOf(bytes, 'sha512')
    expect(routingKey(digest).multihash).toMatchObject({ code: 0x12, size: 32 })
    expect(Buffer.from(routingKey(digest).multihash.digest).toString('hex')).toBe(digestHex(digestOf(Buffer.from(digest))))
  })
})
