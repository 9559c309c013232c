import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Connection, Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { BLOB_PROTOCOL, decodeRequest, encodeResponse, MAX_MESSAGE_LENGTH, type BlobRequest, type ReadRequest } from '../../src/net/blob-protocol.ts'
import { createStack, type SwarmLibp2p } from '../../src/net/libp2p-stack.ts'
import { StreamChannel } from '../../src/net/stream-io.ts'
import { WaitBudget } from '../../src/net/wait-budget.ts'
import type { Digest } from '../../src/oci/digest.ts'

/** How a peer misbehaves; `honest` for comparison. Each begins well unless it says otherwise. */
export const badPeerBehaviours = [
  'honest', 'flips a byte', 'announces too much', 'announces too little', 'sends too many bytes', 'is silent', 'is silent within a blob',
  'sends a byte a second', 'dies within a blob', 'ends the stream within a blob', 'claims everything', 'changes the size', 'answers another request',
  'answers garbage', 'is busy', 'denies'
] as const

export type BadPeerBehaviour = typeof badPeerBehaviours[number]

export interface BadPeerInit {
  readonly behaviour: BadPeerBehaviour
  /** What it has, or pretends to have. */
  readonly content?: ReadonlyMap<Digest, Uint8Array>
  /** Multiaddrs to connect to. */
  readonly bootstrap?: readonly string[]
  /** @default ['/ip4/127.0.0.1/tcp/0'] */
  readonly listen?: readonly string[]
}

export interface BadPeer {
  readonly peerId: string
  readonly addresses: readonly string[]
  /** All that it was asked, in order. */
  readonly asked: readonly BlobRequest[]
  /** Streams of the blob protocol that are open to it. */
  openStreams (): number
  stop (): Promise<void>
}

const PATIENCE_MS = 600_000
const TRICKLE_MS = 1_000
/** What `claims everything` says any content's size is. */
const CLAIMED_BYTES = 1_000_000

/** Starts a real libp2p node that is known as a neighbour, and treats those who ask it as `behaviour` says. */
export async function startBadPeer ({ behaviour, content = new Map(), bootstrap = [], listen = ['/ip4/127.0.0.1/tcp/0'] }: BadPeerInit): Promise<BadPeer> {
  const node = await createStack({
    privateKey: await generateKeyPair('Ed25519'),
    listen: listen.map(address => multiaddr(address)),
    announce: [],
    mdns: false,
    swarmKey: undefined,
    datastore: undefined,
    agentVersion: 'bad peer',
    maxConnections: 100,
    onHeard: () => {}
  })
  const asked: BlobRequest[] = []
  const stopper = new AbortController()
  await answerBlobs(node, { behaviour, content, asked, signal: stopper.signal })
  await node.start()
  for (const address of bootstrap) await node.dial(multiaddr(address))
  return {
    peerId: node.peerId.toString(),
    addresses: node.getMultiaddrs().map(address => address.toString()),
    asked,
    openStreams: () => countStreams(node),
    stop: async () => {
      stopper.abort()
      await node.stop()
    }
  }
}

export interface Conduct {
  readonly behaviour: BadPeerBehaviour
  readonly content: ReadonlyMap<Digest, Uint8Array>
  /** Takes what it is asked. */
  readonly asked: BlobRequest[]
  readonly signal: AbortSignal
}

interface Encounter extends Conduct {
  readonly stream: Stream
  readonly connection: Connection
}

/** Lets a node answer the blob protocol, by which neighbours know each other. */
export async function answerBlobs (node: SwarmLibp2p, conduct: Conduct): Promise<void> {
  await node.handle(BLOB_PROTOCOL, async (stream, connection) => { await misbehave({ ...conduct, stream, connection }) }, { maxInboundStreams: 256 })
}

async function misbehave (encounter: Encounter): Promise<void> {
  const channel = new StreamChannel(encounter.stream, { maxBufferedBytes: 1024 * 1024 })
  try {
    while (true) {
      const message = await channel.readMessage(MAX_MESSAGE_LENGTH, new WaitBudget('a request', PATIENCE_MS))
      if (message === undefined) break
      const request = decodeRequest(message)
      encounter.asked.push(request)
      await answer(request, channel, encounter)
    }
    await channel.close(1_000)
  } catch (error) {
    channel.abort(error as Error)
  }
}

async function answer (request: BlobRequest, channel: StreamChannel, encounter: Encounter): Promise<void> {
  const { behaviour, content } = encounter
  const { id } = request
  const send = async (...parts: Uint8Array[]): Promise<void> => {
    for (const part of parts) await channel.send(part, new WaitBudget('sending', PATIENCE_MS))
  }
  if (behaviour === 'is silent') return
  if (behaviour === 'answers garbage') {
    await send(new Uint8Array(64).fill(0xff))
    return
  }
  const bytes = behaviour === 'claims everything' ? new Uint8Array(CLAIMED_BYTES) : content.get(request.digest)
  if (bytes === undefined || behaviour === 'is busy' || behaviour === 'denies') {
    const code = bytes === undefined ? 'missing' : behaviour === 'is busy' ? 'busy' : 'denied'
    await send(encodeResponse({ id, code, size: 0, restricted: false, length: 0 }))
    return
  }
  if (request.operation === 'have') await send(encodeResponse({ id, code: 'ok', size: bytes.byteLength, restricted: false, length: 0 }))
  else await answerRead(request, bytes, channel, encounter, send)
}

async function answerRead (request: ReadRequest, bytes: Uint8Array, channel: StreamChannel, { behaviour, connection, signal }: Encounter, send: (...parts: Uint8Array[]) => Promise<void>): Promise<void> {
  const { id, start } = request
  // A copy: a Buffer's slice would be a view, and flipping a byte of it would spoil the original.
  const body = Uint8Array.from(bytes.subarray(start, start + request.length))
  const half = body.subarray(0, Math.ceil(body.byteLength / 2))
  const header = (length: number, size = bytes.byteLength, answering = id): Uint8Array => encodeResponse({ id: answering, code: 'ok', size, restricted: false, length })
  switch (behaviour) {
    case 'flips a byte': {
      const middle = Math.floor(body.byteLength / 2)
      body[middle] = (body[middle] ?? 0) ^ 1
      return send(header(body.byteLength), body)
    }
    case 'announces too much': return send(header(body.byteLength + 1), body, Uint8Array.of(0))
    case 'announces too little': return send(header(body.byteLength - 1), body.subarray(1))
    case 'sends too many bytes': return send(header(body.byteLength), body, new Uint8Array(4 * 1024 * 1024))
    case 'is silent within a blob':
      await send(header(body.byteLength), half)
      await pause(PATIENCE_MS, AbortSignal.any([signal, channel.cut]))
      return
    case 'sends a byte a second':
      await send(header(body.byteLength))
      for (let index = 0; index < body.byteLength && !channel.cut.aborted; index++) {
        await send(body.subarray(index, index + 1))
        await pause(TRICKLE_MS, AbortSignal.any([signal, channel.cut]))
      }
      return
    case 'dies within a blob':
      await send(header(body.byteLength), half)
      connection.abort(new Error('dies'))
      return
    case 'ends the stream within a blob':
      await send(header(body.byteLength), half)
      await channel.close(1_000)
      return
    case 'changes the size': return send(header(start === 0 ? body.byteLength : Math.min(request.length, body.byteLength + 1), start === 0 ? bytes.byteLength : bytes.byteLength + 1), body)
    case 'answers another request': return send(header(body.byteLength, bytes.byteLength, id + 1), body)
    default: return send(header(body.byteLength), body)
  }
}

async function pause (delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, delayMs)
  signal.addEventListener('abort', () => { resolve() }, { once: true })
  await promise
  clearTimeout(timer)
}

function countStreams (node: SwarmLibp2p): number {
  return node.getConnections().flatMap(({ streams }) => streams).filter(({ protocol }) => protocol === BLOB_PROTOCOL).length
}
