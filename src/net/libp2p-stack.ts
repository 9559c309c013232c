import type { noise } from '@chainsafe/libp2p-noise'
import type { identify } from '@libp2p/identify'
import type { Ed25519PrivateKey, Libp2p, PeerInfo } from '@libp2p/interface'
import type { kadDHT, passthroughMapper } from '@libp2p/kad-dht'
import type { mdns } from '@libp2p/mdns'
import type { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { ping } from '@libp2p/ping'
import type { preSharedKey } from '@libp2p/pnet'
import type { tcp } from '@libp2p/tcp'
import type { yamux } from '@libp2p/yamux'
import type { Multiaddr } from '@multiformats/multiaddr'
import type { createLibp2p } from 'libp2p'
import type { DhtService } from '../routing/dht.ts'
import { forgetOwnRecords } from './net-datastore.ts'
import type { noiseCrypto } from './noise-crypto.ts'
import type { PeersInMemory } from './peers-in-memory.ts'
import { quietLogger } from './quiet-logger.ts'
import type { SwarmKey } from './swarm-key.ts'

const KAD_PROTOCOL = '/shoal/kad/1.0.0'
const KAD_DATASTORE_PREFIX = '/shoal/dht'
/** Where kad-dht keeps who provides what: one key for each blob and peer. */
const PROVIDER_RECORDS = `${KAD_DATASTORE_PREFIX}/provider`
const MDNS_NAME = '_shoal'
const HOUR_MS = 3_600_000

/**
 * How long others remember that we provide something. Three announcements fit into it (see the announcer), so that two
 * may be lost; a host that is gone for good is forgotten within a day.
 */
const PROVIDER_VALIDITY_MS = 24 * HOUR_MS
const CLEANUP_INTERVAL_MS = HOUR_MS

/** Bytes; the most that yamux lets a stream grow to, and equal to what a stream may buffer. */
const MAX_STREAM_WINDOW = 4 * 1024 * 1024
/** yamux's least. */
const MIN_STREAM_WINDOW = 256 * 1024
/** What a stream may bring while nobody reads it, in milliseconds of the pace at which all are read. */
const STREAM_WINDOW_MS = 100
/**
 * Streams of one connection, and also those that may come before our side of it has been set up. With yamux's default of 10 early
 * ones a host that opened more in the instant of its dial had its muxer closed, and the connection stayed listed without one.
 */
const MAX_STREAMS = 1_000
/** Links ping too (`LinkPulse`), and far cheaper: a libp2p ping is a stream of its own. This finds dead connections that have no link. */
const PING_INTERVAL_MS = 60_000
/** A busy host answers pings late; it must not lose its connections for it. */
const PING_TIMEOUT_MS = 30_000
/**
 * The answering side of a ping holds its stream for 10 s when the other's FIN came first, as it does on a busy host, and
 * the monitor takes the refusal of one more stream for a dead peer: with the default of one, a connection was cut in the
 * middle of every transfer that saw a ping while kad-dht pinged too.
 */
const MAX_PING_STREAMS = 16
const IDENTIFY_TIMEOUT_MS = 15_000
const DIAL_TIMEOUT_MS = 5_000
const UPGRADE_TIMEOUT_MS = 10_000
const MAX_PARALLEL_DIALS = 32

/** What a stack is made of; what is not wanted is not loaded. */
export interface StackModules {
  readonly createLibp2p: typeof createLibp2p
  readonly tcp: typeof tcp
  readonly noise: typeof noise
  readonly noiseCrypto: typeof noiseCrypto
  readonly yamux: typeof yamux
  readonly identify: typeof identify
  readonly ping: typeof ping
  readonly kadDHT: typeof kadDHT
  readonly passthroughMapper: typeof passthroughMapper
  readonly peerIdFromPrivateKey: typeof peerIdFromPrivateKey
  readonly mdns: typeof mdns | undefined
  readonly preSharedKey: typeof preSharedKey | undefined
}

export interface StackInit {
  /** On their way already. @default loaded now */
  readonly modules?: Promise<StackModules>
  readonly privateKey: Ed25519PrivateKey
  readonly listen: readonly Multiaddr[]
  readonly announce: readonly string[]
  readonly mdns: boolean
  readonly swarmKey: SwarmKey | undefined
  readonly datastore: PeersInMemory | undefined
  readonly agentVersion: string
  readonly maxConnections: number
  /** Streams are read no faster than this, all together. @default no limit */
  readonly bytesPerSecond?: number
  /** Called for every peer heard over mDNS, again and again. */
  onHeard (peer: PeerInfo): void
}

export type SwarmLibp2p = Libp2p<{ dht: DhtService }>

/** libp2p's modules, all at once: loading them is most of an agent's start, so begin it before anything else that takes time. */
export async function loadStackModules ({ mdns, hasSwarmKey }: { mdns: boolean, hasSwarmKey: boolean }): Promise<StackModules> {
  const [libp2p, tcp, noise, crypto, yamux, identify, ping, kadDht, peerId, mdnsModule, pnet] = await Promise.all([
    import('libp2p'),
    import('@libp2p/tcp'),
    import('@chainsafe/libp2p-noise'),
    import('./noise-crypto.ts'),
    import('@libp2p/yamux'),
    import('@libp2p/identify'),
    import('@libp2p/ping'),
    import('@libp2p/kad-dht'),
    import('@libp2p/peer-id'),
    mdns ? import('@libp2p/mdns') : undefined,
    hasSwarmKey ? import('@libp2p/pnet') : undefined
  ])
  return { ...libp2p, ...tcp, ...noise, ...crypto, ...yamux, ...identify, ...ping, ...kadDht, ...peerId, mdns: mdnsModule?.mdns, preSharedKey: pnet?.preSharedKey }
}

/** A libp2p node with the settings a LAN or cluster needs; not yet started. */
export async function createStack (init: StackInit): Promise<SwarmLibp2p> {
  const modules = await (init.modules ?? loadStackModules({ mdns: init.mdns, hasSwarmKey: init.swarmKey !== undefined }))
  const { createLibp2p, tcp, noise, noiseCrypto, yamux, identify, ping, kadDHT, passthroughMapper, peerIdFromPrivateKey, mdns, preSharedKey } = modules
  if (init.datastore !== undefined) {
    await forgetOwnRecords(init.datastore, PROVIDER_RECORDS, peerIdFromPrivateKey(init.privateKey).toString())
  }
  const node = await createLibp2p({
    start: false,
    privateKey: init.privateKey,
    logger: quietLogger,
    nodeInfo: { name: 'shoal', userAgent: init.agentVersion },
    addresses: { listen: init.listen.map(address => address.toString()), announce: [...init.announce] },
    datastore: init.datastore,
    // As long as a provider record: a record whose peer is forgotten makes kad-dht fail the whole answer.
    peerStore: { maxAddressAge: PROVIDER_VALIDITY_MS, maxPeerAge: PROVIDER_VALIDITY_MS },
    transports: [tcp()],
    connectionEncrypters: [noise({ crypto: noiseCrypto })],
    streamMuxers: [yamux({ maxInboundStreams: MAX_STREAMS, maxEarlyStreams: MAX_STREAMS, streamOptions: { maxStreamWindowSize: streamWindow(init.bytesPerSecond) } })],
    connectionProtector: init.swarmKey === undefined ? undefined : preSharedKey?.({ psk: init.swarmKey.file }),
    connectionManager: {
      maxConnections: init.maxConnections,
      // The defaults suit hosts on the internet; here hundreds of peers may sit behind one address and come at once.
      inboundConnectionThreshold: init.maxConnections,
      maxIncomingPendingConnections: Math.ceil(init.maxConnections / 2),
      maxParallelDials: MAX_PARALLEL_DIALS,
      dialTimeout: DIAL_TIMEOUT_MS,
      addressDialTimeout: DIAL_TIMEOUT_MS,
      inboundUpgradeTimeout: UPGRADE_TIMEOUT_MS
    },
    connectionMonitor: {
      pingInterval: PING_INTERVAL_MS,
      pingTimeout: { minTimeout: PING_TIMEOUT_MS }
    },
    services: {
      identify: identify({ timeout: IDENTIFY_TIMEOUT_MS }),
      ping: ping({ maxInboundStreams: MAX_PING_STREAMS, maxOutboundStreams: MAX_PING_STREAMS }),
      dht: kadDHT({
        protocol: KAD_PROTOCOL,
        datastorePrefix: KAD_DATASTORE_PREFIX,
        clientMode: false,
        peerInfoMapper: passthroughMapper,
        allowQueryWithZeroPeers: false,
        initialQuerySelfInterval: 0,
        // Our own announcer announces again; what kad-dht does here is to drop the records of others that have expired.
        reprovide: { validity: PROVIDER_VALIDITY_MS, threshold: 0, interval: CLEANUP_INTERVAL_MS }
      })
    },
    peerDiscovery: mdns === undefined
      ? []
      : [components => {
          const discovery = mdns({ serviceTag: mdnsServiceTag(init.swarmKey) })(components)
          discovery.addEventListener('peer', event => { init.onHeard(event.detail) })
          return discovery
        }]
  })
  return node as unknown as SwarmLibp2p
}

/** Swarms with different keys do not even hear each other. */
function mdnsServiceTag (swarmKey: SwarmKey | undefined): string {
  return swarmKey === undefined ? `${MDNS_NAME}._udp.local` : `${MDNS_NAME}-${swarmKey.fingerprint}._udp.local`
}

function streamWindow (bytesPerSecond = Infinity): number {
  return Math.min(MAX_STREAM_WINDOW, Math.max(MIN_STREAM_WINDOW, Math.floor(bytesPerSecond / 1000 * STREAM_WINDOW_MS)))
}
