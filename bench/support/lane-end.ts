import v8 from 'node:v8'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { multiaddr } from '@multiformats/multiaddr'
import { DirectLanes } from '../../src/net/direct-lanes.ts'
import type { LaneOffer } from '../../src/net/direct-connect.ts'
import { createStack, type SwarmLibp2p } from '../../src/net/libp2p-stack.ts'
import { StreamTransport } from '../../src/net/stream-transport.ts'
import { RawLane, type BenchLane } from './raw-lane.ts'

/* One end of a lane, a process of its own, told by the parent what to do. */

/** How the bytes travel; for raw TLS also how the client reads. */
export type LaneKind = 'raw onread' | 'raw data' | 'direct' | 'libp2p'

/** What the connecting side needs to know of the listening one. */
type Address = { readonly port: number } | { readonly offer: { port: number, fingerprint: string, token: string } } | { readonly addresses: string[] }

export type LaneOrder =
  | { readonly type: 'listen', readonly kind: LaneKind }
  | { readonly type: 'connect', readonly kind: LaneKind, readonly address: Address }
  | { readonly type: 'receive', readonly bytes: number }
  | { readonly type: 'send', readonly bytes: number, readonly bodyBytes: number }
  | { readonly type: 'report' }

export type LaneAnswer =
  | { readonly type: 'listening', readonly address: Address }
  | { readonly type: 'connected' | 'ready' | 'sent' }
  | { readonly type: 'received', readonly seconds: number }
  | { readonly type: 'usage', readonly cpuSeconds: number, readonly peakBytes: number }

const HOST = '127.0.0.1'
const PROTOCOL = '/shoal/bench/1'
const HEADER_BYTES = 24
/** Bodies that take turns, as pieces read from disk do. */
const BODIES = 4

// As agent/main does.
v8.setFlagsFromString('--semi-space-growth-factor=1')

let lane: Promise<BenchLane> | undefined
let cpuBefore = process.cpuUsage()

async function listen (kind: LaneKind): Promise<Address> {
  if (kind === 'libp2p') {
    const node = await startNode()
    const { promise, resolve } = Promise.withResolvers<BenchLane>()
    lane = promise
    await node.handle(PROTOCOL, stream => { resolve(new StreamTransport(stream)) })
    return { addresses: node.getMultiaddrs().map(String) }
  }
  if (kind === 'direct') {
    const lanes = new DirectLanes()
    await lanes.listen(HOST, 0)
    const made = lanes.offer('peer')
    if (made === undefined) throw new Error('no offer')
    lane = made.accepted
    return { offer: { port: made.offer.port, fingerprint: Buffer.from(made.offer.fingerprint).toString('hex'), token: Buffer.from(made.offer.token).toString('hex') } }
  }
  const listening = await RawLane.listen()
  lane = listening.lane
  return { port: listening.port }
}

async function connect (kind: LaneKind, address: Address): Promise<BenchLane> {
  if ('addresses' in address) {
    const node = await startNode()
    const connection = await node.dial(address.addresses.map(text => multiaddr(text)))
    return new StreamTransport(await connection.newStream(PROTOCOL))
  }
  if ('offer' in address) {
    const { port, fingerprint, token } = address.offer
    const offer: LaneOffer = { port, fingerprint: Buffer.from(fingerprint, 'hex'), token: Buffer.from(token, 'hex') }
    return new DirectLanes().connect(offer, HOST)
  }
  return RawLane.connect(address.port, kind === 'raw onread')
}

async function startNode (): Promise<SwarmLibp2p> {
  const node = await createStack({
    privateKey: await generateKeyPair('Ed25519'), listen: [multiaddr(`/ip4/${HOST}/tcp/0`)], announce: [], mdns: false, swarmKey: undefined, datastore: undefined, agentVersion: 'bench', maxConnections: 10, onHeard: () => {}
  })
  await node.start()
  return node
}

/** The receiver only counts. */
async function receive (bytes: number): Promise<void> {
  const receiving = await lane
  if (receiving === undefined) throw new Error('no lane')
  let received = 0
  let startedAt = 0
  cpuBefore = process.cpuUsage()
  receiving.onBytes = chunk => {
    if (received === 0) startedAt = performance.now()
    const isLast = received < bytes && received + chunk.byteLength >= bytes
    received += chunk.byteLength
    if (isLast) answer({ type: 'received', seconds: (performance.now() - startedAt) / 1000 })
  }
  answer({ type: 'ready' })
}

async function send (bytes: number, bodyBytes: number): Promise<void> {
  const sending = await lane
  if (sending === undefined) throw new Error('no lane')
  const header = Buffer.alloc(HEADER_BYTES)
  const bodies = Array.from({ length: BODIES }, (_, index) => Buffer.alloc(bodyBytes, index))
  cpuBefore = process.cpuUsage()
  for (let sent = 0, turn = 0; sent < bytes; turn++) {
    const body = bodies[turn % BODIES] as Buffer
    await sending.send([header, body])
    sent += header.length + body.length
  }
  answer({ type: 'sent' })
}

function answer (message: LaneAnswer): void {
  process.send?.(message)
}

async function obey (order: LaneOrder): Promise<void> {
  switch (order.type) {
    case 'listen':
      answer({ type: 'listening', address: await listen(order.kind) })
      break
    case 'connect':
      lane = connect(order.kind, order.address)
      await lane
      answer({ type: 'connected' })
      break
    case 'receive':
      await receive(order.bytes)
      break
    case 'send':
      await send(order.bytes, order.bodyBytes)
      break
    case 'report': {
      const { user, system } = process.cpuUsage(cpuBefore)
      answer({ type: 'usage', cpuSeconds: (user + system) / 1e6, peakBytes: process.resourceUsage().maxRSS * 1024 })
    }
  }
}

process.on('message', (order: LaneOrder) => {
  obey(order).catch((error: unknown) => {
    console.error(error)
    process.exit(1)
  })
})
