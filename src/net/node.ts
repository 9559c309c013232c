import type { Connection, Ed25519PrivateKey, IdentifyResult, PeerId, PeerInfo, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import type { EventSink } from '../events.ts'
import { DhtRouter } from '../routing/dht.ts'
import type { WatchableRouter } from '../routing/router.ts'
import { parseListenAddress, parsePeerAddress, peerOf } from './addresses.ts'
import { BlobClient } from './blob-client.ts'
import { BLOB_PROTOCOL } from './blob-protocol.ts'
import { BlobServer } from './blob-server.ts'
import { explainConnectFailure } from './connect-failure.ts'
import { DirectLanes } from './direct-lanes.ts'
import { openFreshStream } from './fresh-stream.ts'
import { HeardPeers } from './heard-peers.ts'
import { loadIdentity } from './identity.ts'
import { createStack, loadStackModules, type SwarmLibp2p } from './libp2p-stack.ts'
import { explainListenFailure } from './listen-failure.ts'
import { openNetDatastore } from './net-datastore.ts'
import { Neighbours } from './neighbours.ts'
import { ConnectError, NodeNotStartedError } from './node-error.ts'
import type { PeerConnection, SwarmNodeComponents, SwarmNodeInit } from './node-init.ts'
import type { PeerContent, SharedContent } from './peers.ts'
import { PeerAddresses } from './peer-addresses.ts'
import type { PeersInMemory } from './peers-in-memory.ts'
import { RejoinLoop } from './rejoin.ts'
import { signAttestation, type Attestation, type AttestedPieces } from './swarm-attestation.ts'
import { parseSwarmKey, type SwarmKey } from './swarm-key.ts'
import type { LinkLanes } from './swarm-link.ts'
import { SwarmLinks } from './swarm-links.ts'
import { SWARM_PROTOCOL } from './swarm-message.ts'

const DEFAULT_MAX_CONNECTIONS = 600
const DEFAULT_CONNECT_TIMEOUT_MS = 5_000
const DEFAULT_AGENT_VERSION = 'shoal'
const MAX_INBOUND_STREAMS = 256
const MAX_OUTBOUND_STREAMS = 256
const MAX_KNOWN_ADDRESSES = 64
/** One link to a peer, and the next while the last ends. */
const MAX_SWARM_STREAMS = 4

interface Running {
  readonly libp2p: SwarmLibp2p
  readonly privateKey: Ed25519PrivateKey
  readonly datastore: PeersInMemory | undefined
  readonly rejoin: RejoinLoop
  readonly heard: HeardPeers
}

/**
 * This agent among the others: its identity, its listener and connections, the router and the blob protocol over them.
 * Owns the libp2p node and its datastore; nobody else sees libp2p. `router` and `content` can be handed out before the
 * start: until then the one is not ready and the other reaches nobody.
 */
export class SwarmNode {
  readonly content: PeerContent
  /** To each agent that speaks the swarm protocol. */
  readonly links: SwarmLinks
  readonly #lanes = new DirectLanes()
  readonly #addresses = new PeerAddresses()
  readonly #router = new DhtRouter()
  readonly #events: EventSink
  readonly #bytesPerSecond: number | undefined
  readonly #init: SwarmNodeInit
  readonly #swarmKey: SwarmKey | undefined
  readonly #server: BlobServer
  readonly #neighbours: Neighbours
  #running: Running | undefined

  /** @throws SwarmKeyError, AddressError */
  constructor (components: SwarmNodeComponents, init: SwarmNodeInit) {
    this.#events = components.events
    this.#bytesPerSecond = components.intake?.bytesPerSecond
    this.#init = init
    this.#swarmKey = init.swarmKey === undefined ? undefined : parseSwarmKey(init.swarmKey)
    for (const address of init.listen) parseListenAddress(address)
    for (const address of [...init.announce ?? [], ...init.bootstrap ?? []]) parsePeerAddress(address)
    this.#neighbours = new Neighbours({ events: this.#events })
    this.#server = new BlobServer({ events: this.#events }, init.server)
    this.content = new BlobClient({
      intake: components.intake,
      dialler: {
        neighbours: () => this.#neighbours.list(),
        isConnected: peer => this.#neighbours.isConnected(peer),
        openStream: async (peer, options) => this.#openStream(peer, options)
      }
    }, init.client)
    this.links = new SwarmLinks({
      self: () => this.peerId,
      openStream: async (peer, options) => this.#openSwarmStream(peer, options),
      addressesOf: peer => this.#addresses.of(peer),
      lanes: this.#linkLanes(),
      intake: components.intake
    })
  }

  /** Finds providers by the DHT. */
  get router (): WatchableRouter {
    return this.#router
  }

  /** Peer id in text form. @throws NodeNotStartedError */
  get peerId (): string {
    return this.#libp2p().peerId.toString()
  }

  /**
   * Resolves when it listens; peers are found from then on.
   * @throws ListenError, IdentityError, NetDatastoreError
   */
  async start ({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    if (this.#running !== undefined) return
    signal?.throwIfAborted()
    const { dataDirectory, mdns = false } = this.#init
    const modules = loadStackModules({ mdns, hasSwarmKey: this.#swarmKey !== undefined })
    modules.catch(() => {})
    const [privateKey, datastore] = await settleAll([
      loadIdentity(dataDirectory),
      dataDirectory === undefined ? undefined : openNetDatastore(dataDirectory)
    ])
    let libp2p: SwarmLibp2p | undefined
    try {
      signal?.throwIfAborted()
      const heard = new HeardPeers({
        countNeighbours: () => this.#neighbours.count,
        isConnected: peer => this.#neighbours.isConnected(peer),
        dial: async peer => { await this.#dialKnown(peer) },
        now: this.#init.now ?? Date.now
      })
      libp2p = await createStack({
        modules,
        privateKey,
        datastore,
        listen: this.#init.listen.map(parseListenAddress),
        announce: this.#init.announce ?? [],
        mdns,
        swarmKey: this.#swarmKey,
        agentVersion: this.#init.agentVersion ?? DEFAULT_AGENT_VERSION,
        maxConnections: this.#init.maxConnections ?? DEFAULT_MAX_CONNECTIONS,
        bytesPerSecond: this.#bytesPerSecond,
        onHeard: peer => { this.#noteHeard(peer, heard) }
      })
      signal?.throwIfAborted()
      await this.#wire(libp2p)
      await libp2p.start()
      const rejoin = this.#rejoinLoop()
      this.#running = { libp2p, privateKey, datastore, rejoin, heard }
      await this.#openLanes()
      this.#router.attach(libp2p)
      rejoin.start()
    } catch (error) {
      await libp2p?.stop()
      await datastore?.close()
      throw await explainListenFailure(error, this.#init.listen)
    }
    if (signal?.aborted === true) {
      await this.stop()
      signal.throwIfAborted()
    }
  }

  async stop (): Promise<void> {
    const running = this.#running
    if (running === undefined) return
    this.#running = undefined
    this.#router.detach()
    running.heard.stop()
    await running.rejoin.stop()
    this.#server.stop()
    this.links.stop()
    this.#lanes.close()
    try {
      await running.libp2p.stop()
    } finally {
      await running.datastore?.close()
      this.#neighbours.clear()
    }
  }

  /** Multiaddrs in text form at which others reach us, each with our peer id. */
  addresses (): string[] {
    return this.#running?.libp2p.getMultiaddrs().map(address => address.toString()) ?? []
  }

  /** Those to our neighbours: who is connected and not yet known to speak the blob protocol is not asked for anything. */
  connections (): PeerConnection[] {
    const neighbours = new Set(this.#neighbours.list())
    return (this.#running?.libp2p.getConnections() ?? []).map(describeConnection).filter(({ peer }) => neighbours.has(peer))
  }

  /** Our signature under what pieces of a blob hash to. @throws NodeNotStartedError */
  sign (pieces: AttestedPieces): Attestation {
    if (this.#running === undefined) throw new NodeNotStartedError()
    return signAttestation(this.#running.privateKey, pieces)
  }

  /** What we give to peers from now on; nothing before. */
  share (content: SharedContent): void {
    this.#server.share(content)
  }

  /** Called with the peer id of each peer that becomes a neighbour. @returns a function that ends the subscription */
  onPeer (listener: (peer: string) => void): () => void {
    return this.#neighbours.onPeer(listener)
  }

  /**
   * Connects to the peer at a multiaddr.
   * @returns its peer id
   * @throws ConnectError, AddressError, NodeNotStartedError
   */
  async connect (address: string, { signal }: { signal?: AbortSignal } = {}): Promise<string> {
    const peer = await this.#dial(address, signal)
    if (peer === undefined) throw new ConnectError(address, 'it is our own address')
    return peer
  }

  async #wire (libp2p: SwarmLibp2p): Promise<void> {
    await libp2p.handle(BLOB_PROTOCOL, async (stream, connection) => { await this.#server.serve(stream, connection.remotePeer.toString()) }, {
      maxInboundStreams: MAX_INBOUND_STREAMS,
      maxOutboundStreams: MAX_OUTBOUND_STREAMS
    })
    await libp2p.register(BLOB_PROTOCOL, {
      onConnect: peer => { this.#neighbours.speaks(peer.toString()) },
      onDisconnect: peer => { this.#neighbours.speaksNoMore(peer.toString()) }
    })
    await libp2p.handle(SWARM_PROTOCOL, (stream, connection) => { this.links.accept(stream, connection.remotePeer.toString()) }, {
      maxInboundStreams: MAX_SWARM_STREAMS,
      maxOutboundStreams: MAX_SWARM_STREAMS
    })
    await libp2p.register(SWARM_PROTOCOL, {
      onConnect: (peer, connection) => { this.links.met(peer.toString(), { weDialled: connection.direction === 'outbound' }) }
    })
    libp2p.addEventListener('peer:identify', ({ detail }: CustomEvent<IdentifyResult>) => { this.#addresses.set(detail.peerId.toString(), detail.listenAddrs.map(String)) })
    libp2p.addEventListener('peer:connect', ({ detail: peer }) => { this.#neighbours.connected(peer.toString()) })
    libp2p.addEventListener('peer:disconnect', ({ detail: peer }) => { this.#neighbours.disconnected(peer.toString()) })
  }

  async #openStream (peer: string, { signal }: { signal: AbortSignal }): Promise<Stream> {
    const libp2p = this.#libp2p()
    return openFreshStream(libp2p, await peerIdOf(peer), BLOB_PROTOCOL, { signal })
  }

  async #openSwarmStream (peer: string, { signal, addresses = [] }: { signal: AbortSignal, addresses?: readonly string[] }): Promise<Stream> {
    const libp2p = this.#libp2p()
    const id = await peerIdOf(peer)
    if (addresses.length > 0 && libp2p.getConnections(id).length === 0) {
      const multiaddrs = addresses.flatMap(text => {
        try {
          return [parsePeerAddress(text)]
        } catch {
          return []
        }
      })
      await libp2p.peerStore.merge(id, { multiaddrs })
    }
    return openFreshStream(libp2p, id, SWARM_PROTOCOL, { signal })
  }

  /** Without a listener of our own we still go to the lanes of others. */
  async #openLanes (): Promise<void> {
    const { direct } = this.#init
    if (direct === undefined) return
    try {
      await this.#lanes.listen(direct.host, direct.port)
    } catch {
      // the libp2p lane always works
    }
  }

  #linkLanes (): LinkLanes {
    return {
      offer: peer => {
        const made = this.#lanes.offer(peer)
        return made === undefined ? undefined : { message: { type: 'lane-offer', ...made.offer }, accepted: made.accepted }
      },
      connect: async (peer, offer) => {
        const host = await this.#hostOf(peer)
        return this.#lanes.connect(offer, host)
      }
    }
  }

  /** Where a connected peer is reached. */
  async #hostOf (peer: string): Promise<string> {
    const [connection] = this.#libp2p().getConnections(await peerIdOf(peer))
    const address = connection?.remoteAddr ?? multiaddr()
    const host = address.getComponents().find(({ name }) => name === 'ip4' || name === 'ip6')?.value
    if (host === undefined) throw new ConnectError(peer, 'it is not connected by TCP')
    return host
  }

  async #dial (address: string, signal?: AbortSignal): Promise<string | undefined> {
    const timeout = AbortSignal.timeout(this.#init.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS)
    const target = parsePeerAddress(address)
    const libp2p = this.#libp2p()
    if (peerOf(target) === libp2p.peerId.toString()) return undefined
    try {
      const connection = await libp2p.dial(target, { signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]) })
      return connection.remotePeer.toString()
    } catch (error) {
      signal?.throwIfAborted()
      const failure = explainConnectFailure(error, { hasSwarmKey: this.#swarmKey !== undefined })
      if (failure.isSelf) return undefined
      throw new ConnectError(address, failure.reason, { cause: error })
    }
  }

  async #dialKnown (peer: string): Promise<void> {
    await this.#libp2p().dial(await peerIdOf(peer), { signal: AbortSignal.timeout(this.#init.connectTimeoutMs ?? DEFAULT_CONNECT_TIMEOUT_MS) })
  }

  #noteHeard ({ id, multiaddrs }: PeerInfo, heard: HeardPeers): void {
    const libp2p = this.#running?.libp2p
    if (libp2p === undefined || id.equals(libp2p.peerId)) return
    libp2p.peerStore.merge(id, { multiaddrs }).then(() => { heard.heard(id.toString()) }, () => {})
  }

  #rejoinLoop (): RejoinLoop {
    return new RejoinLoop({
      events: this.#events,
      swarm: {
        neighbours: () => this.#neighbours.list(),
        onNeighbours: listener => this.#neighbours.onChange(listener),
        dial: async (address, signal) => this.#dial(address, signal),
        knownAddresses: async () => this.#knownAddresses()
      }
    }, { bootstrap: this.#init.bootstrap ?? [] })
  }

  async #knownAddresses (): Promise<string[]> {
    const known = await this.#libp2p().peerStore.all({
      filters: [peer => peer.protocols.includes(BLOB_PROTOCOL) && peer.addresses.length > 0],
      limit: MAX_KNOWN_ADDRESSES
    })
    return known.flatMap(({ id, addresses }) => addresses.slice(0, 2).map(({ multiaddr }) => multiaddr.encapsulate(`/p2p/${id.toString()}`).toString()))
  }

  #libp2p (): SwarmLibp2p {
    if (this.#running === undefined) throw new NodeNotStartedError()
    return this.#running.libp2p
  }
}

/** A node that is not yet started. @throws SwarmKeyError, AddressError */
export function createSwarmNode (components: SwarmNodeComponents, init: SwarmNodeInit): SwarmNode {
  return new SwarmNode(components, init)
}

function describeConnection (connection: Connection): PeerConnection {
  return {
    peer: connection.remotePeer.toString(),
    address: connection.remoteAddr.toString(),
    direction: connection.direction,
    ...(connection.rtt === undefined ? {} : { rttMs: connection.rtt })
  }
}

async function peerIdOf (peer: string): Promise<PeerId> {
  const { peerIdFromString } = await import('@libp2p/peer-id')
  return peerIdFromString(peer)
}

/** Both or none: what did open is not left open when the other fails. */
async function settleAll <Key> ([key, datastore]: readonly [Promise<Key>, Promise<PeersInMemory> | undefined]): Promise<[Key, PeersInMemory | undefined]> {
  const [keyResult, storeResult] = await Promise.allSettled([key, datastore ?? Promise.resolve(undefined)])
  if (keyResult.status === 'rejected') {
    if (storeResult.status === 'fulfilled') await storeResult.value?.close()
    throw keyResult.reason
  }
  if (storeResult.status === 'rejected') throw storeResult.reason
  return [keyResult.value, storeResult.value]
}
