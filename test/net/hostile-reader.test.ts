import { randomBytes } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Stream } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { EventHub } from '../../src/events.ts'
import { BLOB_PROTOCOL, decodeResponse, encodeRequest, MAX_MESSAGE_LENGTH, MAX_READ_LENGTH } from '../../src/net/blob-protocol.ts'
import { createStack, type SwarmLibp2p } from '../../src/net/libp2p-stack.ts'
import { createSwarmNode, type SwarmNode } from '../../src/net/node.ts'
import { StreamChannel } from '../../src/net/stream-io.ts'
import { WaitBudget } from '../../src/net/wait-budget.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { until } from '../../scenarios/live/until.ts'
import { MapContent } from './exchange.ts'

const BYTES = randomBytes(4_000_000)
const DIGEST = digestOf(BYTES)
const HAVE = encodeRequest({ operation: 'have', id: 1, kind: 'blob', digest: DIGEST })
const patient = (): WaitBudget => new WaitBudget('a test', 5_000)

describe('a node that is asked by a hostile peer', () => {
  const content = new MapContent([[DIGEST, BYTES]])
  let node: SwarmNode
  let peer: SwarmLibp2p

  beforeAll(async () => {
    node = createSwarmNode({ events: new EventHub() }, { listen: ['/ip4/127.0.0.1/tcp/0'], server: { sendTimeoutMs: 300, closeTimeoutMs: 300 } })
    node.share(content)
    await node.start()
    peer = await createStack({
      privateKey: await generateKeyPair('Ed25519'), listen: [], announce: [], mdns: false, swarmKey: undefined, datastore: undefined, agentVersion: 'hostile', maxConnections: 10, onHeard: () => {}
    })
    await peer.start()
  })

  afterAll(async () => {
    await peer.stop()
    await node.stop()
  })

  async function open (): Promise<Stream> {
    return peer.dialProtocol(multiaddr(node.addresses()[0] ?? ''), BLOB_PROTOCOL, { maxOutboundStreams: 400 })
  }

  async function ask (...messages: Uint8Array[]): Promise<StreamChannel> {
    const channel = new StreamChannel(await open(), { maxBufferedBytes: 64 * 1024 * 1024 })
    for (const message of messages) await channel.send(message, patient())
    return channel
  }

  async function stillAnswers (): Promise<void> {
    const channel = await ask(HAVE)
    expect(decodeResponse(await channel.readMessage(MAX_MESSAGE_LENGTH, patient()) ?? new Uint8Array())).toMatchObject({ id: 1, code: 'ok', size: BYTES.length })
    channel.abort(new Error('enough'))
  }

  it('keeps no file open for those who only ask whether it is there', async () => {
    const channels = await Promise.all(Array.from({ length: 20 }, async () => ask(HAVE)))
    for (const channel of channels) {
      const answer = await channel.readMessage(MAX_MESSAGE_LENGTH, patient())
      expect(decodeResponse(answer ?? new Uint8Array())).toMatchObject({ code: 'ok', size: BYTES.length })
    }
    await until(() => content.openReaders === 0, { what: 'all files are closed while the streams are open' })
    for (const channel of channels) channel.abort(new Error('done'))
  })

  it('cuts a stream at bytes that are no request, and answers the next', async () => {
    for (const bytes of [Uint8Array.of(0), new Uint8Array(2_000).fill(0xff), Uint8Array.of(3, 1, 2, 3), ...Array.from({ length: 40 }, () => randomBytes(1 + Math.floor(Math.random() * 200)))]) {
      const channel = await ask(bytes)
      await channel.close(1_000)
      channel.abort(new Error('enough'))
    }
    await stillAnswers()
  })

  it('survives a request cut at any byte', async () => {
    const request = encodeRequest({ operation: 'read', id: 1, kind: 'blob', digest: DIGEST, start: 0, length: 1 })
    for (let length = 0; length < request.byteLength; length++) {
      const channel = await ask(request.subarray(0, length))
      await channel.close(1_000)
    }
    await stillAnswers()
  })

  it('refuses by code what it understands but does not allow, and goes on with the conversation', async () => {
    const tooLong = encodeRequest({ operation: 'read', id: 5, kind: 'blob', digest: DIGEST, start: 0, length: MAX_READ_LENGTH + 1 })
    const pastTheEnd = encodeRequest({ operation: 'read', id: 6, kind: 'blob', digest: DIGEST, start: BYTES.length + 1, length: 1 })
    const channel = await ask(tooLong, pastTheEnd, HAVE)
    for (const expected of [{ id: 5, code: 'bad-request' }, { id: 6, code: 'bad-request' }, { id: 1, code: 'ok' }]) {
      expect(decodeResponse(await channel.readMessage(MAX_MESSAGE_LENGTH, patient()) ?? new Uint8Array())).toMatchObject(expected)
    }
    channel.abort(new Error('enough'))
  })

  it('cuts a peer that does not take what it asked for, and frees what it held open', async () => {
    const stream = await open()
    stream.addEventListener('message', () => {})
    stream.pause()
    for (let id = 1; id <= 4; id++) stream.send(encodeRequest({ operation: 'read', id, kind: 'blob', digest: DIGEST, start: (id - 1) * 1_000_000, length: 1_000_000 }))
    await until(() => content.openReaders === 1, { what: 'it reads' })
    await until(() => content.openReaders === 0, { what: 'it is cut' })
    await stillAnswers()
  })

  it('cuts a peer that asks and asks without reading the answers', async () => {
    const stream = await open()
    stream.addEventListener('message', () => {})
    stream.pause()
    const requests = Buffer.concat(Array.from({ length: 2_000 }, (_, index) => encodeRequest({ operation: 'read', id: index + 1, kind: 'blob', digest: DIGEST, start: 0, length: 1_000_000 })))
    stream.send(requests)
    await until(() => stream.status === 'reset', { what: 'it is cut' })
    await until(() => content.openReaders === 0, { what: 'nothing is held open' })
    await stillAnswers()
  })

  it('says busy beyond the streams it reads for, without cutting any', async () => {
    const read = encodeRequest({ operation: 'read', id: 1, kind: 'blob', digest: DIGEST, start: 0, length: 10 })
    const channels = await Promise.all(Array.from({ length: 60 }, async () => ask(read)))
    const codes = await Promise.all(channels.map(async channel => decodeResponse(await channel.readMessage(MAX_MESSAGE_LENGTH, patient()) ?? new Uint8Array()).code))
    expect(codes.filter(code => code === 'ok')).toHaveLength(32)
    expect(codes.filter(code => code === 'busy')).toHaveLength(28)
    for (const channel of channels) channel.abort(new Error('enough'))
    await until(() => content.openReaders === 0, { what: 'all have ended' })
    await stillAnswers()
  })
})
