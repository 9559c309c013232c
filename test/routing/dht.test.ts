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

describe('a search', () => {
  /** A router whose table has these peers, on a clock of its own. */
  function routerOf (peers: readonly string[]): { router: DhtRouter, add: (peer: string) => void, pass: (ms: number) => void } {
    const table = [...peers]
    const listeners: Array<() => void> = []
    let nowMs = 0
    const router = new DhtRouter({ settledMs: 1000, now: () => nowMs })
    router.attach({
      getConnections: () => [{}],
      addEventListener: () => {},
      services: {
        dht: {
          routingTable: {
            get size () { return table.length },
            kb: { toIterable: () => table.map(peer => ({ peerId: peer })) },
            addEventListener: (_: string, listener: () => void) => { listeners.push(listener) }
          }
        }
      }
    } as unknown as DhtHost)
    return {
      router,
      add: peer => {
        table.push(peer)
        for (const listener of listeners) listener()
      },
      pass: ms => { nowMs += ms }
    }
  }

  it('can tell nothing new when all of a small swarm have been asked, and nobody has come for a while', () => {
    const { router, add, pass } = routerOf(['a', 'b'])
    expect(router.mayKnowMore(new Set(['a', 'b']))).toBe(true)
    pass(1000)
    expect(router.mayKnowMore(new Set(['a', 'b', 'c']))).toBe(false)
    expect(router.mayKnowMore(new Set(['a']))).toBe(true)
    add('c')
    expect(router.mayKnowMore(new Set(['a', 'b', 'c']))).toBe(true)
    pass(1000)
    expect(router.mayKnowMore(new Set(['a', 'b', 'c']))).toBe(false)
  })

  it('may always name somebody in a swarm that a table does not hold', () => {
    const many = Array.from({ length: 33 }, (_, index) => `peer ${index}`)
    const { router, pass } = routerOf(many)
    pass(1000)
    expect(router.mayKnowMore(new Set(many))).toBe(true)
  })
})
