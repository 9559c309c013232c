import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { BlobReadError } from '../../../src/store/store-errors.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'
import type { BlobReader } from '../../../src/store/store.ts'
import { Gate } from '../../support/gate.ts'
import { seededBytes } from '../../support/image.ts'
import { until } from '../../../scenarios/live/until.ts'
import { readMultipart } from './multipart.ts'
import { RawConnection } from './raw-connection.ts'
import { createTestAgent, NAME, REPOSITORY, storeBlob, type TestAgent } from './test-agent.ts'

const BLOB = seededBytes(2_000_000, 'streaming')
const DIGEST = digestOf(BLOB)
const LARGE = seededBytes(64_000_000, 'large')
/** What the origin gives before the gate. */
const HALF = 1_048_576
const CHUNK_BYTES = 65_536

let agent: TestAgent
let store: WatchedStore
let url: string
let opened: RawConnection[]

beforeEach(async () => {
  agent = createTestAgent({ store: events => (store = new WatchedStore({ events })) })
  agent.origin.addBlob(REPOSITORY, BLOB)
  url = await agent.listen()
  opened = []
})

afterEach(async () => {
  for (const connection of opened) connection.close()
  await agent.close()
})

async function get (digest: Digest, headers: Record<string, string> = {}): Promise<RawConnection> {
  const connection = await RawConnection.open(url)
  opened.push(connection)
  connection.request(`/v2/${NAME}/blobs/${digest}`, headers)
  return connection
}

/** Lets the origin give half of the blob, and the rest when it is opened. */
function gateOrigin (): Gate {
  const gate = new Gate()
  gate.release(HALF / CHUNK_BYTES)
  agent.origin.addBlob(REPOSITORY, BLOB, { gate, chunkBytes: CHUNK_BYTES })
  return gate
}

/** The origin never gives more than half of the blob. */
function dieAtHalf (): void {
  agent.origin.addBlob(REPOSITORY, BLOB, { dieAt: Array.from({ length: 100 }, () => HALF) })
}

async function halfIsHere (): Promise<void> {
  await until(() => agent.puller.blobs.status()[0]?.received === HALF, { what: 'half of the blob' })
}

describe('a blob on its way in', () => {
  it('is sent as it comes, before the origin has sent all of it', async () => {
    const gate = gateOrigin()
    const connection = await get(DIGEST)
    await connection.until(received => received.length > HALF / 2 ? true : undefined)
    expect((await agent.store.usage()).blobs).toBe(0)
    gate.open()
    const { status, headers, body } = await connection.answer()
    expect(status).toBe(200)
    expect(headers.get('content-length')).toBe(String(BLOB.length))
    expect(body.equals(BLOB)).toBe(true)
    await until(() => agent.served.length === 1, { what: 'told' })
    expect(agent.served).toEqual([{ from: 'fetch', bytes: BLOB.length }])
  })

  it('is sent to several clients by one fetch', async () => {
    const gate = gateOrigin()
    const connections = await Promise.all([undefined, 'bytes=1000-1999', 'bytes=0-0,100-199', undefined].map(async range => get(DIGEST, range === undefined ? {} : { Range: range })))
    await halfIsHere()
    gate.open()
    const [whole, part, several, other] = await Promise.all(connections.map(async connection => connection.answer()))
    expect(whole?.body.equals(BLOB)).toBe(true)
    expect(other?.body.equals(BLOB)).toBe(true)
    expect(part?.body.equals(BLOB.subarray(1000, 2000))).toBe(true)
    expect(readMultipart(several?.headers.get('content-type') ?? '', several?.body ?? Buffer.alloc(0)).map(({ bytes }) => bytes.length)).toEqual([1, 100])
    expect(agent.origin.blobStarts(DIGEST)).toHaveLength(1)
  })

  it('stops coming when its only client goes away, and is resumed by the next', async () => {
    const gate = gateOrigin()
    const connection = await get(DIGEST)
    await connection.until(received => received.length > 1000 ? true : undefined)
    await halfIsHere()
    connection.close()
    await until(() => agent.events.some(event => event.type === 'fetch:abandoned'), { what: 'abandoned' })
    await until(() => agent.puller.blobs.status().length === 0, { what: 'no fetch under way' })
    gate.open()
    const next = await get(DIGEST)
    expect((await next.answer()).body.equals(BLOB)).toBe(true)
    expect(agent.events.filter(event => event.type === 'fetch:started').at(-1)).toMatchObject({ resumedAt: HALF })
    expect(agent.defects).toEqual([])
  })

  it('stops coming when the client goes away before the first byte', async () => {
    const gate = new Gate()
    agent.origin.addBlob(REPOSITORY, BLOB, { gate })
    const connection = await get(DIGEST)
    await gate.reached()
    connection.close()
    await until(() => agent.events.some(event => event.type === 'fetch:abandoned'), { what: 'abandoned' })
    expect(agent.defects).toEqual([])
  })

  it('goes on coming when one of two clients goes away', async () => {
    const gate = gateOrigin()
    const [leaving, staying] = [await get(DIGEST), await get(DIGEST)]
    await staying.until(received => received.length > 1000 ? true : undefined)
    await halfIsHere()
    leaving.close()
    await until(() => agent.puller.blobs.status()[0]?.callers === 1, { what: 'one caller' })
    gate.open()
    expect((await staying.answer()).body.equals(BLOB)).toBe(true)
    expect(agent.origin.blobStarts(DIGEST)).toHaveLength(1)
  })

  it.each(['bytes=1500000-1500009', 'bytes=1500000-1500009,1600000-1600009'])('is 404 to %s when its source ends before', async range => {
    dieAtHalf()
    const { status, headers, body } = await (await get(DIGEST, { Range: range })).answer()
    expect(status).toBe(404)
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.has('content-range')).toBe(false)
    expect(JSON.parse(body.toString())).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] })
  })

  it('is a cut connection when it cannot be completed, never a complete answer', async () => {
    dieAtHalf()
    const connection = await get(DIGEST)
    await connection.closed
    const body = connection.received.subarray(connection.received.indexOf('\r\n\r\n') + 4)
    expect(body.length).toBeGreaterThan(0)
    expect(body.length).toBeLessThan(BLOB.length)
    expect(body.equals(BLOB.subarray(0, body.length))).toBe(true)
  })
})

describe('a blob that is read from the store', () => {
  it('is closed after each kind of answer', async () => {
    const digest = await storeBlob(agent, BLOB)
    const headers: Array<Record<string, string>> = [{}, { Range: 'bytes=0-9' }, { Range: 'bytes=0-9,20-29' }, { Range: 'bytes=99999999-' }, { 'If-None-Match': `"${digest}"` }]
    for (const header of headers) await (await get(digest, header)).answer()
    await until(() => store.openReaders === 0, { what: 'all closed' })
    expect(store.opened).toBe(headers.length - 1)
  })

  it('is closed when the client goes away in the middle', async () => {
    const digest = await storeBlob(agent, LARGE)
    const connection = await get(digest)
    await connection.until(received => received.length > 1000 ? true : undefined)
    connection.close()
    await until(() => store.opened === 1 && store.openReaders === 0, { what: 'closed' })
    expect(agent.defects).toEqual([])
  })

  it('is closed when the client goes away while it is opened', async () => {
    const digest = await storeBlob(agent, BLOB)
    const gate = Promise.withResolvers<void>()
    const reached = Promise.withResolvers<void>()
    store.beforeOpened = async () => {
      reached.resolve()
      await gate.promise
    }
    const connection = await get(digest)
    await reached.promise
    connection.close()
    await until(async () => await connections(agent) === 0, { what: 'the agent has seen it' })
    gate.resolve()
    await until(() => store.opened === 1 && store.openReaders === 0, { what: 'closed' })
    expect(agent.served).toEqual([])
    expect(agent.defects).toEqual([])
  })

  it('is closed for every one of several pipelined requests whose client goes away', async () => {
    const digest = await storeBlob(agent, LARGE)
    const connection = await RawConnection.open(url)
    opened.push(connection)
    connection.write(`GET /v2/${NAME}/blobs/${digest} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(3))
    await connection.until(received => received.length > 1000 ? true : undefined)
    connection.close()
    await until(() => store.opened === 3 && store.openReaders === 0, { what: 'closed' })
  })

  it('is a cut connection when it cannot be read on, which tells of no defect', async () => {
    const digest = await storeBlob(agent, LARGE)
    store.damagedFrom = 5_000_000
    const connection = await get(digest)
    await connection.closed
    const body = connection.received.subarray(connection.received.indexOf('\r\n\r\n') + 4)
    expect(body.equals(LARGE.subarray(0, body.length))).toBe(true)
    expect(body.length).toBeLessThanOrEqual(5_000_000)
    await until(() => store.openReaders === 0, { what: 'closed' })
    expect(agent.defects).toEqual([])
  })

  it('is never mixed with another, however many are read at once and cut', async () => {
    const blobs = Array.from({ length: 6 }, (_, index) => seededBytes(5_000_000 + index, `blob ${index}`))
    const digests = await Promise.all(blobs.map(async blob => storeBlob(agent, blob)))
    for (let round = 0; round < 3; round++) {
      const cut = await Promise.all(digests.map(async digest => get(digest)))
      await Promise.all(cut.map(async (connection, index) => {
        await connection.until(received => received.length > index * 500_000 ? true : undefined)
        connection.close()
      }))
      const whole = await Promise.all(digests.map(async digest => (await get(digest)).answer()))
      expect(whole.map(({ body }) => digestOf(body))).toEqual(digests)
    }
    await until(() => store.openReaders === 0, { what: 'closed' })
  })

  it('waits for a client that reads slowly, without reading ahead', async () => {
    const digest = await storeBlob(agent, LARGE)
    const connection = await get(digest)
    connection.socket.pause()
    let before = -1
    // two looks in a row with no byte in between: it rests
    await until(() => {
      const rests = store.bytesRead === before && before > 0
      before = store.bytesRead
      return rests
    }, { what: 'a rest' })
    expect(store.bytesRead).toBeLessThan(LARGE.length / 2)
    connection.socket.resume()
    expect((await connection.answer()).body.equals(LARGE)).toBe(true)
  })
})

async function connections ({ app }: TestAgent): Promise<number> {
  return new Promise((resolve, reject) => {
    app.server.getConnections((error, count) => {
      if (error === null) resolve(count)
      else reject(error)
    })
  })
}

/** Knows its open readers, and can be made to hesitate and to fail. */
class WatchedStore extends MemoryStore {
  opened = 0
  openReaders = 0
  bytesRead = 0
  beforeOpened: (() => Promise<void>) | undefined
  damagedFrom = Infinity

  override async open (...args: Parameters<MemoryStore['open']>): Promise<BlobReader | undefined> {
    const reader = await super.open(...args)
    await this.beforeOpened?.()
    if (reader === undefined) return undefined
    this.opened += 1
    this.openReaders += 1
    let isOpen = true
    return {
      record: reader.record,
      read: async (buffer, position) => {
        if (position >= this.damagedFrom) throw new BlobReadError(reader.record.digest, position, 'damaged')
        const length = await reader.read(buffer, position)
        this.bytesRead += length
        return length
      },
      hash: span => reader.hash(span),
      stream: (span, options) => reader.stream(span, options),
      verify: async () => reader.verify(),
      bytes: options => reader.bytes(options),
      close: async () => {
        if (isOpen) this.openReaders -= 1
        isOpen = false
        await reader.close()
      }
    }
  }
}
