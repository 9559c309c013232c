import { randomBytes } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ContentDeniedError } from '../../src/net/peer-error.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { QuotaPace } from '../support/quota-pace.ts'
import { until } from '../../scenarios/live/until.ts'
import { collect, MapContent, PEER, startExchange } from './exchange.ts'

const BYTES = randomBytes(1_500_000)
const DIGEST = digestOf(BYTES)
const UNKNOWN = digestOf(Buffer.from('unknown'))

describe('blob client and server', () => {
  it('tell who has what and how large it is', async () => {
    const { client } = startExchange(new MapContent([[DIGEST, BYTES]]))
    expect(await client.have(PEER, 'blob', DIGEST)).toEqual({ peer: PEER, size: BYTES.length, restricted: false })
    expect(await client.have(PEER, 'manifest', DIGEST)).toBeUndefined()
    expect(await client.have(PEER, 'blob', UNKNOWN)).toBeUndefined()
  })

  it('carry a blob whole, by one stream of the store however many requests it takes', async () => {
    const content = new MapContent([[DIGEST, BYTES]])
    const { client, served, events } = startExchange(content, { client: { chunkBytes: 64 * 1024, windowChunks: 3 } })
    const read = await client.read(PEER, 'blob', DIGEST, 0)
    expect(read).toMatchObject({ size: BYTES.length, restricted: false, peer: PEER })
    expect(BYTES.equals(await collect(read.body))).toBe(true)
    await served()
    expect(content).toMatchObject({ streams: 1, openReaders: 0 })
    expect(events).toEqual([{ type: 'peer:served', peer: PEER, digest: DIGEST, bytes: BYTES.length }])
  })

  it('carry any tail in any chunks', async () => {
    await fc.assert(fc.asyncProperty(
      fc.uint8Array({ minLength: 1, maxLength: 3_000 }), fc.nat(), fc.integer({ min: 1, max: 700 }), fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 900 }), fc.integer({ min: 1, max: 900 }),
      async (bytes, seed, chunkBytes, windowChunks, maxChunkBytes, storeChunkBytes) => {
        const start = seed % (bytes.length + 1)
        const digest = digestOf(bytes)
        const { client } = startExchange(new MapContent([[digest, bytes]], { chunkBytes: storeChunkBytes }), { client: { chunkBytes, windowChunks }, server: { maxChunkBytes } })
        const { body } = await client.read(PEER, 'blob', digest, start)
        expect(Buffer.from(bytes.subarray(start)).equals(await collect(body))).toBe(true)
      }), { numRuns: 40 })
  })

  it('give an empty blob as no bytes and free the stream', async () => {
    const empty = digestOf(new Uint8Array())
    const { client, served } = startExchange(new MapContent([[empty, new Uint8Array()]]))
    const { size, body } = await client.read(PEER, 'blob', empty, 0)
    await served()
    expect(size).toBe(0)
    expect(await collect(body)).toHaveLength(0)
  })

  it('say what is missing, and that everything is before there is anything to share', async () => {
    const { client } = startExchange()
    await expect(client.read(PEER, 'blob', DIGEST, 0)).rejects.toMatchObject({ code: 'PEER_MISSING', peer: PEER, blamesPeer: false })
    expect(await client.have(PEER, 'blob', DIGEST)).toBeUndefined()
  })

  it('refuse what the sharing rule forbids, which a have? sees as missing', async () => {
    const { client } = startExchange({ open: async (_, digest) => { throw new ContentDeniedError(digest) } })
    await expect(client.read(PEER, 'blob', DIGEST, 0)).rejects.toMatchObject({ code: 'PEER_DENIED' })
    expect(await client.have(PEER, 'blob', DIGEST)).toBeUndefined()
  })

  it('cut the stream when the store fails within a blob', async () => {
    const { client } = startExchange({
      open: async () => ({
        size: 1_000_000,
        restricted: false,
        async * stream () {
          yield new Uint8Array(1_000)
          throw new Error('the disk is gone')
        },
        close: async () => {}
      })
    })
    const { body } = await client.read(PEER, 'blob', DIGEST, 0)
    await expect(collect(body)).rejects.toMatchObject({ code: 'PEER_GONE', retryable: true })
  })

  it('mark what is restricted', async () => {
    const { client } = startExchange({ open: async () => ({ size: 1, restricted: true, async * stream () { yield Uint8Array.of(7) }, close: async () => {} }) })
    expect(await client.have(PEER, 'blob', DIGEST)).toMatchObject({ restricted: true })
    expect(await client.read(PEER, 'blob', DIGEST, 0)).toMatchObject({ restricted: true })
  })
})

describe('a read', () => {
  it('asks for no more than its window while nobody takes its bytes', async () => {
    let given = 0
    const { client } = startExchange({
      open: async () => ({
        size: 2 ** 30,
        restricted: false,
        async * stream () {
          while (true) {
            given += 1_000
            yield new Uint8Array(1_000)
          }
        },
        close: async () => {}
      })
    }, { client: { chunkBytes: 10_000, windowChunks: 3 } })
    const { body } = await client.read(PEER, 'blob', DIGEST, 0)
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    await until(() => given >= 30_000, { what: 'the window is full' })
    await iterator.next()
    expect(given).toBeLessThanOrEqual(31_000)
    await iterator.return?.()
  })

  it('frees its stream and what the server holds as soon as its consumer leaves', async () => {
    const content = new MapContent([[DIGEST, BYTES]])
    const { client, served, streams } = startExchange(content)
    const { body } = await client.read(PEER, 'blob', DIGEST, 0)
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    await iterator.return?.()
    expect(streams[0]?.status).toBe('aborted')
    await served()
    expect(content.openReaders).toBe(0)
  })

  it('frees its stream at once when its signal aborts while its consumer is busy elsewhere', async () => {
    const { client, served, streams } = startExchange(new MapContent([[DIGEST, BYTES]]))
    const aborter = new AbortController()
    const { body } = await client.read(PEER, 'blob', DIGEST, 0, { signal: aborter.signal })
    const iterator = body[Symbol.asyncIterator]()
    await iterator.next()
    aborter.abort(new Error('not needed'))
    expect(streams[0]?.status).toBe('aborted')
    await served()
    await expect(iterator.next()).rejects.toThrow('not needed')
  })

  it('does not begin with a signal that has aborted', async () => {
    const { client, streams } = startExchange(new MapContent([[DIGEST, BYTES]]))
    const signal = AbortSignal.abort(new Error('too late'))
    await expect(client.read(PEER, 'blob', DIGEST, 0, { signal })).rejects.toThrow('too late')
    await expect(client.have(PEER, 'blob', DIGEST, { signal })).rejects.toThrow('too late')
    expect(streams).toEqual([])
  })

  it('goes on in the conversation in which the peer said that it has it', async () => {
    const { client, streams, served } = startExchange(new MapContent([[DIGEST, BYTES]]))
    await client.have(PEER, 'blob', DIGEST)
    await client.have(PEER, 'blob', DIGEST)
    expect(await collect((await client.read(PEER, 'blob', DIGEST, 0)).body)).toEqual(BYTES)
    expect(streams).toHaveLength(1)
    await served()
  })

  it('begins another conversation when that one has ended meanwhile', async () => {
    const { client, streams } = startExchange(new MapContent([[DIGEST, BYTES]]), { server: { idleTimeoutMs: 30 } })
    await client.have(PEER, 'blob', DIGEST)
    await until(() => streams[0]?.status !== 'open', { what: 'the end of the first conversation' })
    expect(await collect((await client.read(PEER, 'blob', DIGEST, 0)).body)).toEqual(BYTES)
    expect(streams).toHaveLength(2)
  })

  it('gives its place to whoever needs a stream', async () => {
    const { client, streams } = startExchange(new MapContent([[DIGEST, BYTES]]), { client: { maxStreams: 1 } })
    await client.have(PEER, 'blob', DIGEST)
    await client.have('another', 'blob', DIGEST)
    expect(streams).toHaveLength(2)
    await until(() => streams[0]?.status !== 'open', { what: 'the end of the first conversation' })
  })

  it('waits for a stream of its own when as many are open as we allow, and says busy when none becomes free', async () => {
    const { client } = startExchange(new MapContent([[DIGEST, BYTES]]), { client: { maxStreamsPerPeer: 1, slotTimeoutMs: 50 } })
    const first = await client.read(PEER, 'blob', DIGEST, 0)
    await expect(client.read(PEER, 'blob', DIGEST, 0)).rejects.toMatchObject({ code: 'PEER_BUSY' })
    const second = client.read(PEER, 'blob', DIGEST, 0)
    await collect(first.body)
    expect(await collect((await second).body)).toHaveLength(BYTES.length)
  })

  it('takes no more than may come, and no time runs against the peer meanwhile', async () => {
    const intake = new QuotaPace()
    const { client } = startExchange(new MapContent([[DIGEST, BYTES]]), { client: { chunkTimeoutMs: 100 }, intake })
    const { body } = await client.read(PEER, 'blob', DIGEST, 0)
    const reading = collect(body)
    await until(() => intake.isWaiting, { what: 'it waits' })
    const { count } = intake
    expect(count).toBeLessThan(BYTES.length)
    await new Promise(resolve => { setTimeout(resolve, 200) })
    expect(intake.count).toBe(count)
    intake.allow(Infinity)
    expect(BYTES.equals(await reading)).toBe(true)
    expect(intake.count).toBe(BYTES.length)
    expect(intake.asked).toEqual([false])
  })

  it.each([['a manifest', 'manifest', 2_000_000], ['a small blob', 'blob', 300_000]] as const)('of %s goes before all else, and is counted', async (_, kind, size) => {
    const intake = new QuotaPace()
    const bytes = randomBytes(size)
    const { client } = startExchange(new MapContent([[digestOf(bytes), bytes]], { kind }), { intake })
    const { body } = await client.read(PEER, kind, digestOf(bytes), 0)
    const reading = collect(body)
    await until(() => intake.isWaiting, { what: 'it waits' })
    intake.allow(Infinity)
    expect(bytes.equals(await reading)).toBe(true)
    expect(intake.count).toBe(size)
    expect(intake.asked).toEqual([true])
  })

  it('leaves its place among those who wait when its signal aborts', async () => {
    const intake = new QuotaPace()
    const { client, served } = startExchange(new MapContent([[DIGEST, BYTES]]), { intake })
    const controller = new AbortController()
    const { body } = await client.read(PEER, 'blob', DIGEST, 0, { signal: controller.signal })
    const reading = collect(body)
    await until(() => intake.isWaiting, { what: 'it waits' })
    controller.abort(new Error('enough'))
    await expect(reading).rejects.toThrow('enough')
    expect(intake.isWaiting).toBe(false)
    await served()
  })

  it('does not count the time its consumer takes as the peer being slow', async () => {
    const { client } = startExchange(new MapContent([[DIGEST, BYTES]]), { client: { chunkTimeoutMs: 60, chunkBytes: 100_000, windowChunks: 2 } })
    const { body } = await client.read(PEER, 'blob', DIGEST, 0)
    let bytes = 0
    let pauses = 0
    for await (const chunk of body) {
      bytes += chunk.byteLength
      if (pauses++ < 2) {
        const resumeAt = performance.now() + 100
        await until(() => performance.now() >= resumeAt, { what: 'the consumer goes on' })
      }
    }
    expect(bytes).toBe(BYTES.length)
  })
})

describe('a blob server', () => {
  it('tells a peer that reads more at a time than it allows that it is busy, and lets it in when a read has ended', async () => {
    const { client, served } = startExchange(new MapContent([[DIGEST, BYTES]]), { server: { maxReadersPerPeer: 2 } })
    const open = [await client.read(PEER, 'blob', DIGEST, 0), await client.read(PEER, 'blob', DIGEST, 0)]
    await expect(client.read(PEER, 'blob', DIGEST, 0)).rejects.toMatchObject({ code: 'PEER_BUSY', retryable: true })
    expect(await client.have(PEER, 'blob', DIGEST)).toBeDefined()
    for (const { body } of open) await collect(body)
    await served()
    expect(await collect((await client.read(PEER, 'blob', DIGEST, 0)).body)).toHaveLength(BYTES.length)
  })

  it('ends a conversation in which nothing is asked', async () => {
    const { client, served } = startExchange(new MapContent([[DIGEST, BYTES]]), { server: { idleTimeoutMs: 30 }, client: { chunkBytes: 1_000, windowChunks: 1 } })
    const { body } = await client.read(PEER, 'blob', DIGEST, 0)
    await served()
    await expect(collect(body)).rejects.toMatchObject({ code: 'PEER_GONE' })
  })

  it('cuts all conversations when it stops', async () => {
    const content = new MapContent([[DIGEST, BYTES]])
    const { client, server, served } = startExchange(content, { client: { chunkBytes: 1_000 } })
    const { body } = await client.read(PEER, 'blob', DIGEST, 0)
    server.stop()
    await served()
    expect(content.openReaders).toBe(0)
    await expect(collect(body)).rejects.toMatchObject({ code: 'PEER_GONE' })
  })
})
