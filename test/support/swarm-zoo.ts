import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createStack } from '../../src/net/libp2p-stack.ts'
import type { SwarmKey } from '../../src/net/swarm-key.ts'
import { SWARM_PROTOCOL, type SwarmMessage } from '../../src/net/swarm-message.ts'
import type { Digest } from '../../src/oci/digest.ts'
import { answerBlobs } from './peer-zoo.ts'
import { attestationsOf, type BadSwarmBehaviour } from './swarm-conduct.ts'
import { SwarmConversation } from './swarm-conversation.ts'

export interface BadSwarmPeerInit {
  readonly behaviour: BadSwarmBehaviour
  /** What it has, or pretends to have; or what it makes up when somebody wants a blob of that size. */
  readonly content?: ReadonlyMap<Digest, Uint8Array> | ((digest: Digest, size: number) => Uint8Array)
  /** Multiaddrs to connect to. */
  readonly bootstrap?: readonly string[]
  /** @default ['/ip4/127.0.0.1/tcp/0'] */
  readonly listen?: readonly string[]
  /** Whose attestations it passes on. @default its own */
  readonly signAs?: Ed25519PrivateKey
  /** It has but a part of the pieces, as one who reads them from the origin; else everything. @default false */
  readonly isOwner?: boolean
  /** Of a closed swarm. @default it is in the open one */
  readonly swarmKey?: SwarmKey
}

export interface BadSwarmPeer {
  readonly peerId: string
  readonly addresses: readonly string[]
  /** All joins and requests that it was sent, in order. */
  readonly asked: readonly SwarmMessage[]
  /** Connected peers. */
  connections (): number
  stop (): Promise<void>
}

/** Messages remembered at the most. */
const MAX_ASKED = 10_000

/** Starts a real libp2p node that speaks the swarm protocol and treats those who link to it as `behaviour` says. */
export async function startBadSwarmPeer ({ behaviour, content = new Map(), bootstrap = [], listen = ['/ip4/127.0.0.1/tcp/0'], signAs, isOwner = false, swarmKey }: BadSwarmPeerInit): Promise<BadSwarmPeer> {
  const privateKey = await generateKeyPair('Ed25519')
  const node = await createStack({
    privateKey,
    listen: listen.map(address => multiaddr(address)),
    announce: [],
    mdns: false,
    swarmKey,
    datastore: undefined,
    agentVersion: 'bad swarm peer',
    maxConnections: 100,
    onHeard: () => {}
  })
  const asked: SwarmMessage[] = []
  const conversations = new Set<SwarmConversation>()
  const made = new Map<Digest, Uint8Array>()
  const contentOf = (digest: Digest, size: number): Uint8Array | undefined => {
    if (typeof content !== 'function') return content.get(digest)
    const bytes = made.get(digest) ?? content(digest, size)
    made.set(digest, bytes)
    return bytes
  }
  const stopper = new AbortController()
  await answerBlobs(node, { behaviour: 'honest', content: new Map(), asked: [], signal: stopper.signal })
  const signed = new Map<Digest, readonly Uint8Array[]>()
  const attestations = (digest: Digest, bytes: Uint8Array): readonly Uint8Array[] => {
    const lists = signed.get(digest) ?? attestationsOf(behaviour, digest, bytes, signAs ?? privateKey)
    signed.set(digest, lists)
    return lists
  }
  await node.handle(SWARM_PROTOCOL, (stream, connection) => {
    conversations.add(new SwarmConversation({
      behaviour,
      contentOf,
      isOwner,
      attestations,
      stream,
      connection,
      onAsked: message => { if (asked.length < MAX_ASKED) asked.push(message) },
      onMembers: members => {
        // Who is dialled links to us.
        for (const { addresses } of members) {
          const [address] = addresses
          if (address !== undefined) node.dial(multiaddr(address)).catch(() => {})
        }
      }
    }))
  }, { maxInboundStreams: 256 })
  await node.start()
  for (const address of bootstrap) await node.dial(multiaddr(address))
  return {
    peerId: node.peerId.toString(),
    addresses: node.getMultiaddrs().map(address => address.toString()),
    asked,
    connections: () => node.getConnections().length,
    stop: async () => {
      stopper.abort()
      for (const conversation of conversations) conversation.end(new Error('stops'))
      await node.stop()
    }
  }
}
