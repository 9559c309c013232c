import { createServer as createHttpServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { EventEmitter, once } from 'node:events'
import { createHash } from 'node:crypto'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { IdleWires } from '../../src/origin/idle-wires.ts'
import type { HttpRequest, HttpResponse } from '../../src/origin/http-exchange.ts'
import { OriginSocket } from '../../src/origin/origin-socket.ts'
import { Transport } from '../../src/origin/transport.ts'
import { Wire } from '../../src/origin/wire.ts'
import { makeAuthority, makeCertificate, type TestCertificate } from '../support/certificates.ts'
import { until } from '../../scenarios/live/until.ts'

/** Far more than all buffers between a server and a reader hold. */
const LONG = Buffer.alloc(24 * 1024 * 1024, 'a long body of which no two places look alike for long, since 83 is prime')
for (let at = 0; at < LONG.length; at += 4096) LONG.writeUInt32LE(at, at)

let authority: TestCertificate
let serverCertificate: TestCertificate
const afterwards: Array<() => unknown> = []

beforeAll(async () => {
  authority = await makeAuthority()
  serverCertificate = await makeCertificate(authority)
})

afterEach(async () => {
  for (const end of afterwards.splice(0).reverse()) await end()
})

interface Registry {
  readonly url: string
  readonly connections: Socket[]
}

async function serve (scheme: 'http' | 'https', listener: RequestListener): Promise<Registry> {
  const server: Server = scheme === 'http' ? createHttpServer(listener) : createHttpsServer(serverCertificate, listener)
  const connections: Socket[] = []
  server.on(scheme === 'http' ? 'connection' : 'secureConnection', (socket: Socket) => connections.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterwards.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `${scheme}://localhost:${(server.address() as AddressInfo).port}`, connections }
}

/** A server of plain TCP that answers each request with the bytes as they are. */
async function serveRaw (answer: (socket: Socket) => void): Promise<Registry> {
  const connections: Socket[] = []
  const server = createTcpServer(socket => {
    connections.push(socket)
    socket.on('data', () => { answer(socket) }).on('error', () => {})
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  afterwards.push(() => {
    for (const socket of connections) socket.destroy()
    server.close()
  })
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, connections }
}

function open (): Transport {
  const transport = new Transport({ connectMs: 2000, ca: authority.cert })
  afterwards.push(() => transport.close())
  return transport
}

function get (url: string, init: Partial<HttpRequest> = {}): HttpRequest {
  return { method: 'GET', url: new URL(url), headers: {}, reach: 'any', firstByteMs: 2000, stallMs: 2000, isStreamed: true, ...init }
}

async function digestOf ({ body }: HttpResponse): Promise<string> {
  const hash = createHash('sha256')
  while (await body.more()) hash.update(body.take() as Uint8Array)
  return hash.digest('hex')
}

const LONG_DIGEST = createHash('sha256').update(LONG).digest('hex')
const sendLong: RequestListener = (_request, response) => { response.end(LONG) }
const HEAD = `HTTP/1.1 200 OK\r\ncontent-length: ${LONG.length}\r\n\r\n`

describe.each(['http', 'https'] as const)('a long body over %s', scheme => {
  test('is whole, and its connection serves the next', async () => {
    const registry = await serve(scheme, sendLong)
    const transport = open()
    for (let round = 0; round < 3; round++) expect(await digestOf(await transport.send(get(registry.url)))).toBe(LONG_DIGEST)
    expect(registry.connections).toHaveLength(1)
  })

  test('and short ones take turns', async () => {
    const registry = await serve(scheme, (request, response) => { response.end(request.url === '/long' ? LONG : 'short') })
    const transport = open()
    for (let round = 0; round < 3; round++) {
      expect(await digestOf(await transport.send(get(`${registry.url}/long`)))).toBe(LONG_DIGEST)
      const short = await transport.send(get(`${registry.url}/short`, { isStreamed: false }))
      expect(await digestOf(short)).toBe(createHash('sha256').update('short').digest('hex'))
    }
    expect(registry.connections.length).toBeLessThanOrEqual(2)
  })

  test('waits for its reader', async () => {
    const registry = await serve(scheme, sendLong)
    const response = await open().send(get(registry.url))
    await new Promise(resolve => setTimeout(resolve, 300))
    expect(registry.connections[0]?.writableLength).toBeGreaterThan(LONG.length / 4)
    expect(await digestOf(response)).toBe(LONG_DIGEST)
  })

  test('lends its bytes until the next are asked for', async () => {
    const registry = await serve(scheme, sendLong)
    const { body } = await open().send(get(registry.url))
    let position = 0
    while (await body.more()) {
      const chunk = body.take() as Uint8Array
      // room for the bytes behind to arrive, and to overwrite these
      if (position < 4 * 1024 * 1024) await new Promise(resolve => setTimeout(resolve, 2))
      expect(LONG.compare(chunk, 0, chunk.length, position, position + chunk.length)).toBe(0)
      position += chunk.length
    }
    expect(position).toBe(LONG.length)
  })

  test('that is cancelled takes its connection with it', async () => {
    const registry = await serve(scheme, sendLong)
    const transport = open()
    const { body } = await transport.send(get(registry.url))
    await body.more()
    body.cancel(new Error('enough'))
    await expect(body.more()).rejects.toThrow('enough')
    await until(async () => registry.connections[0]?.destroyed, { what: 'the end of the connection' })
    expect(await digestOf(await transport.send(get(registry.url)))).toBe(LONG_DIGEST)
    expect(registry.connections).toHaveLength(2)
  })

  test('comes side by side with others', async () => {
    const registry = await serve(scheme, sendLong)
    const transport = open()
    const digests = await Promise.all(Array.from({ length: 4 }, async () => digestOf(await transport.send(get(registry.url)))))
    expect(new Set(digests)).toEqual(new Set([LONG_DIGEST]))
  })
})

describe.each(['http', 'https'] as const)('over %s', scheme => {
  test.each([1000, 16_384, 65_535, 65_536, 131_072, 1_000_000])('many parts of %i bytes come by a connection or two', async length => {
    const registry = await serve(scheme, (request, response) => {
      const start = Number(request.headers.range)
      response.writeHead(206, { 'content-length': length }).end(LONG.subarray(start, start + length))
    })
    const transport = open()
    for (let start = 0; start < 20 * length; start += length) {
      const response = await transport.send(get(registry.url, { headers: { range: String(start) } }))
      expect(await digestOf(response)).toBe(createHash('sha256').update(LONG.subarray(start, start + length)).digest('hex'))
    }
    // undici waits a turn before it uses one again
    expect(registry.connections.length).toBeLessThanOrEqual(length < 65_536 ? 2 : 1)
  })

  test.each([[undefined, 50_000], [undefined, 3_000_000], ['chunked', 3_000_000], ['length', 50_000], ['length', 3_000_000]] as const)('a body (%s, %i bytes) whose connection ends with it is whole', async (framing, length) => {
    const registry = await serve(scheme, (_request, response) => {
      response.setHeader('connection', 'close')
      if (framing === undefined) response.useChunkedEncodingByDefault = false
      if (framing === 'length') response.setHeader('content-length', length)
      response.write(LONG.subarray(0, 20_000))
      response.end(LONG.subarray(20_000, length))
    })
    const transport = open()
    for (const isStreamed of [true, false]) {
      const response = await transport.send(get(registry.url, { isStreamed }))
      await response.body.more()
      expect(await digestOf(response)).toBe(createHash('sha256').update(LONG.subarray(0, length)).digest('hex'))
    }
  })
})

describe('a long body', () => {
  test('that has come but was not read is not followed by another on its connection', async () => {
    const registry = await serve('http', (_request, response) => { response.end(LONG.subarray(0, 300_000)) })
    const transport = open()
    const { body } = await transport.send(get(registry.url))
    await body.more()
    body.take()
    await new Promise(resolve => setTimeout(resolve, 100))
    body.cancel(new Error('enough'))
    await until(async () => registry.connections[0]?.destroyed, { what: 'the end of the connection' })
    await (await transport.send(get(registry.url))).body.skip(300_000)
    expect(registry.connections).toHaveLength(2)
  })

  test('whose sender closes the connection is not followed by another on it', async () => {
    const registry = await serve('http', (_request, response) => { response.setHeader('connection', 'close').end(LONG) })
    const transport = open()
    for (let round = 0; round < 2; round++) expect(await digestOf(await transport.send(get(registry.url)))).toBe(LONG_DIGEST)
    expect(registry.connections).toHaveLength(2)
  })

  test('with more than its length ends at its length, and its connection serves nobody else', async () => {
    const registry = await serveRaw(socket => { socket.write(HEAD + LONG.toString('latin1') + 'HTTP/1.1 200 OK\r\n', 'latin1') })
    const transport = open()
    for (let round = 0; round < 2; round++) expect(await digestOf(await transport.send(get(registry.url)))).toBe(LONG_DIGEST)
    expect(registry.connections).toHaveLength(2)
  })

  test('that is cut ends with an error after what came', async () => {
    const registry = await serveRaw(socket => { socket.end(HEAD + 'a'.repeat(1_000_000)) })
    const { body } = await open().send(get(registry.url))
    let length = 0
    const reading = (async () => {
      while (await body.more()) length += body.take()?.length ?? 0
    })()
    await expect(reading).rejects.toThrow('other side closed')
    expect(length).toBe(1_000_000)
  })

  test('that stops is a stall', async () => {
    const registry = await serveRaw(socket => { socket.write(HEAD + 'a'.repeat(1_000_000)) })
    const { body } = await open().send(get(registry.url, { stallMs: 200 }))
    await expect(digestOf({ body } as HttpResponse)).rejects.toMatchObject({ phase: 'stall', timeoutMs: 200 })
    await until(async () => registry.connections[0]?.destroyed, { what: 'the end of the connection' })
  })

  test('whose reader takes its time is no stall', async () => {
    const registry = await serve('http', sendLong)
    const response = await open().send(get(registry.url, { stallMs: 200 }))
    await response.body.more()
    response.body.take()
    await new Promise(resolve => setTimeout(resolve, 500))
    await response.body.skip(LONG.length)
  })

  test('of unknown length comes as well', async () => {
    const registry = await serve('http', (_request, response) => {
      response.write(LONG.subarray(0, 1_000_000))
      response.end(LONG.subarray(1_000_000))
    })
    expect(await digestOf(await open().send(get(registry.url)))).toBe(LONG_DIGEST)
  })

  test('ends at once when its transport is closed', async () => {
    const registry = await serve('http', sendLong)
    const transport = open()
    const { body } = await transport.send(get(registry.url))
    await body.more()
    await transport.close()
    await expect((async () => { while (await body.more()) body.take() })()).rejects.toThrow()
  })
})

describe('a connection between two requests', () => {
  test('that has ended leaves its TLS session to the next', async () => {
    const reused: boolean[] = []
    const registry = await serve('https', (request, response) => {
      reused.push((request.socket as TLSSocket).isSessionReused())
      response.setHeader('connection', 'close').end(LONG)
    })
    const transport = open()
    for (let round = 0; round < 2; round++) expect(await digestOf(await transport.send(get(registry.url)))).toBe(LONG_DIGEST)
    expect(reused).toEqual([false, true])
  })

  test('that its server ends is not used again', async () => {
    const registry = await serve('http', sendLong)
    const transport = open()
    await digestOf(await transport.send(get(registry.url)))
    registry.connections[0]?.end()
    await until(async () => registry.connections[0]?.destroyed, { what: 'the end of the connection' })
    expect(await digestOf(await transport.send(get(registry.url)))).toBe(LONG_DIGEST)
    expect(registry.connections).toHaveLength(2)
  })

  test('on which somebody speaks unasked is not used again', async () => {
    const registry = await serve('http', sendLong)
    const transport = open()
    await digestOf(await transport.send(get(registry.url)))
    registry.connections[0]?.write('HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil')
    await until(async () => registry.connections[0]?.destroyed, { what: 'the end of the connection' })
    expect(await digestOf(await transport.send(get(registry.url)))).toBe(LONG_DIGEST)
  })

  test('ends with its transport', async () => {
    const registry = await serve('http', sendLong)
    const transport = open()
    await digestOf(await transport.send(get(registry.url)))
    await transport.close()
    await until(async () => registry.connections[0]?.destroyed, { what: 'the end of the connection' })
  })
})

describe('idle wires', () => {
  afterEach(() => { vi.useRealTimers() })

  test('are dropped after four seconds, and beyond eight a host', async () => {
    vi.useFakeTimers()
    const idle = new IdleWires()
    const wires = Array.from({ length: 9 }, () => standInWire())
    for (const { wire } of wires) idle.put('https://a.test', wire)
    expect(wires.map(({ isDestroyed }) => isDestroyed())).toEqual([...Array<boolean>(8).fill(false), true])
    expect(idle.take('https://b.test')).toBeUndefined()
    expect(idle.take('https://a.test')).toBe(wires[7]?.wire)
    vi.advanceTimersByTime(4000)
    expect(wires.map(({ isDestroyed }) => isDestroyed())).toEqual([...Array<boolean>(7).fill(true), false, true])
    expect(idle.take('https://a.test')).toBeUndefined()
  })
})

test('a body that undici read whole leaves the socket to undici', async () => {
  const wires: Wire[] = []
  const server = createTcpServer(socket => { socket.on('data', bytes => socket.write(bytes)).on('error', () => {}) })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const wire = new Wire()
  wire.attach(connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', onread: wire.onread }))
  const socket = new OriginSocket(wire, idle => { wires.push(idle) })
  socket.divert({ left: () => 0, isReusable: true, push: () => { throw new Error('nothing is left') }, end: () => { throw new Error('it has ended') } })
  socket.write('the next answer')
  const [bytes] = await once(socket, 'data') as [Buffer]
  expect(bytes.toString()).toBe('the next answer')
  socket.destroy()
  await once(wire.socket, 'close')
  expect(wires).toEqual([])
  server.close()
})

describe('a connection that ends while undici has not taken all that was read', () => {
  const bytes = LONG.subarray(0, 200_000)

  function readThenEnd (events: readonly string[]): OriginSocket {
    const connection = Object.assign(new EventEmitter(), { destroyed: false, resume: () => {}, destroy: () => {} })
    const wire = new Wire()
    wire.attach(connection as unknown as Socket)
    const socket = new OriginSocket(wire, () => {})
    bytes.copy((wire.onread.buffer as () => Buffer)())
    wire.onread.callback(bytes.length, Buffer.alloc(0))
    for (const event of events) {
      connection.destroyed = event === 'close'
      connection.emit(event)
    }
    return socket
  }

  test.each(['end', 'end close'])('gives it the rest and the end (%s)', async events => {
    const socket = readThenEnd(events.split(' '))
    const chunks: Buffer[] = []
    const ended = once(socket, 'end')
    const closed = once(socket, 'close')
    socket.on('data', (chunk: Buffer) => chunks.push(chunk))
    await ended
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true)
    if (events === 'end') socket.destroy()
    await closed
  })

  test('gives it the rest before it closes without an end', async () => {
    const socket = readThenEnd(['close'])
    let length = 0
    socket.on('data', (chunk: Buffer) => { length += chunk.length })
    await once(socket, 'close')
    expect(length).toBeGreaterThan(0)
  })
})

function standInWire (): { readonly wire: Wire, readonly isDestroyed: () => boolean } {
  const socket = { destroyed: false, on: () => socket, off: () => socket, ref: () => socket, unref: () => socket, destroy: () => { socket.destroyed = true } }
  return { wire: { socket, receiveBy: () => {} } as unknown as Wire, isDestroyed: () => socket.destroyed }
}
