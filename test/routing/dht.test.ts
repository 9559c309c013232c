import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Address, PeerId } from '@libp2p/interface'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it } from 'vitest'
import { EventHub } from '../../src/events.ts'
import { createSwarmNode, type SwarmNode } from '../../src/net/node.ts'
import { digestHex, digestOf } from '../../src/oci/digest.ts'
import { DhtRouter, routingKey, type DhtHost } from '../../src/routing/dht.ts'
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

describe('addresses that the DHT tells of', () => {
  it('are few of each peer however many are told, with the newest among them', async () => {
    const peer = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const us = peerIdFromPrivateKey(await generateKeyPair('Ed25519'))
    const flood = (from: number): Multiaddr[] => Array.from({ length: 40 }, (_, index) => multiaddr(`/ip4/127.0.0.1/tcp/${from + index}`))
    const signed = { multiaddr: multiaddr('/ip4/127.0.0.9/tcp/9'), isCertified: true }
    const right = multiaddr('/ip4/127.0.0.2/tcp/5001')
    let stored: Address[] = [signed]
    const answers = [flood(1000), flood(2000), flood(3000), [right]]
    const router = new DhtRouter()
    router.attach({
      peerId: us,
      getConnections: () => [{}],
      addEventListener: () => {},
      peerStore: {
        has: async () => true,
        get: async () => ({ addresses: stored }),
        merge: async (_: PeerId, { multiaddrs }: { multiaddrs: Multiaddr[] }) => { stored = [...stored, ...multiaddrs.map(multiaddr => ({ multiaddr, isCertified: false }))] },
        patch: async (_: PeerId, { addresses }: { addresses: Address[] }) => { stored = addresses }
      },
      services: {
        dht: {
          routingTable: { size: 1, addEventListener: () => {} },
          findProviders: async function * () {
            for (const multiaddrs of answers) yield { name: 'PROVIDER', providers: [{ id: peer, multiaddrs }] }
          }
        }
      }
    } as unknown as DhtHost)
    const found = []
    for await (const provider of router.findProviders(digestOf(Buffer.from('x')))) found.push(provider.peer)
    expect(found).toEqual([peer.toString()])
    expect(stored.length).toBeLessThanOrEqual(16)
    expect(stored).toContain(signed)
    expect(stored.at(-1)?.multiaddr.toString()).toBe(right.toString())
  })
})
