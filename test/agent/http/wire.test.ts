import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { seededBytes } from '../../support/image.ts'
import { until } from '../../../scenarios/live/until.ts'
import { RawConnection } from './raw-connection.ts'
import { createTestAgent, NAME, storeBlob, type TestAgent } from './test-agent.ts'

const BLOB = seededBytes(3_000_000, 'wire')
const TLS_CLIENT_HELLO = Buffer.from('1603010200010001fc0303', 'hex')

let agent: TestAgent
let url: string
let digest: Digest
let opened: RawConnection[]

beforeEach(async () => {
  agent = createTestAgent()
  digest = await storeBlob(agent, BLOB)
  url = await agent.listen()
  opened = []
})

afterEach(async () => {
  for (const connection of opened) connection.close()
  await agent.close()
})

async function open (): Promise<RawConnection> {
  const connection = await RawConnection.open(url)
  opened.push(connection)
  return connection
}

describe('a connection', () => {
  it('is kept for more than 75 s between requests', async () => {
    const connection = await open()
    for (let round = 0; round < 3; round++) {
      connection.request('/v2/')
      const { status, headers } = await connection.answer()
      expect(status).toBe(200)
      expect(Number(/timeout=(\d+)/.exec(headers.get('keep-alive') ?? '')?.[1])).toBeGreaterThanOrEqual(75)
    }
  })

  it('has a deadline for its requests, headers and bodies', () => {
    const { requestTimeout, headersTimeout } = agent.app.server
    for (const timeoutMs of [requestTimeout, headersTimeout]) {
      expect(timeoutMs).toBeGreaterThan(0)
      expect(timeoutMs).toBeLessThanOrEqual(60_000)
    }
  })

  it('goes on after each kind of answer', async () => {
    const connection = await open()
    for (const [path, headers, status] of [
      [`blobs/${digest}`, {}, 200], [`blobs/${digest}`, { Range: 'bytes=-5' }, 206], [`blobs/${digest}`, { Range: 'bytes=0-1,5-9' }, 206], [`blobs/${digest}`, { Range: 'bytes=9999999-' }, 416],
      [`blobs/${digestOf(Buffer.from('none'))}`, {}, 404], ['manifests/%zz', {}, 400], ['tags/list', {}, 404], [`blobs/${digest}`, {}, 200]
    ] as const) {
      connection.request(`/v2/${NAME}/${path}`, headers)
      expect((await connection.answer()).status).toBe(status)
    }
    connection.request(`/v2/${NAME}/blobs/${digest}`, {}, 'HEAD')
    expect((await connection.answer({ hasBody: false })).headers.get('content-length')).toBe(String(BLOB.length))
    connection.request(`/v2/${NAME}/blobs/${digestOf(Buffer.from('none'))}`, {}, 'HEAD')
    expect((await connection.answer({ hasBody: false })).status).toBe(404)
    connection.request('/v2/')
    expect((await connection.answer()).body.toString()).toBe('{}')
  })

  it('takes 40 KB of headers', async () => {
    const connection = await open()
    connection.request('/v2/', { Authorization: `Bearer ${'t'.repeat(40_000)}` })
    expect((await connection.answer()).status).toBe(200)
  })

  it('is refused headers without end, and closed', async () => {
    const connection = await open()
    connection.request('/v2/', { Authorization: `Bearer ${'t'.repeat(200_000)}` })
    const { status, headers, body } = await connection.answer()
    expect(status).toBe(431)
    expect(headers.get('docker-distribution-api-version')).toBe('registry/2.0')
    expect(JSON.parse(body.toString())).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] })
    await connection.closed
  })

  it('is closed on a TLS ClientHello, and the agent goes on', async () => {
    const connection = await open()
    connection.write(TLS_CLIENT_HELLO)
    await connection.closed
    const next = await open()
    next.request('/v2/')
    expect((await next.answer()).status).toBe(200)
    expect(agent.defects).toEqual([])
  })

  it.each(['GARBAGE\r\n\r\n', 'GET /v2/\u0000 HTTP/1.1\r\nHost: localhost\r\n\r\n', 'GET /v2/ HTTP/1.1\r\n\r\n', 'GET /v2/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n'])('is answered 400 and closed on %j', async text => {
    const connection = await open()
    connection.write(text)
    expect((await connection.answer()).status).toBe(400)
    await connection.closed
  })

  it('never gets an error into the middle of a blob', async () => {
    const large = seededBytes(64_000_000, 'large')
    const largeDigest = await storeBlob(agent, large)
    const connection = await open()
    connection.request(`/v2/${NAME}/blobs/${largeDigest}`)
    const start = await connection.until(received => received.length > 10_000 ? received.indexOf('\r\n\r\n') + 4 : undefined)
    connection.write('GARBAGE\r\n\r\n')
    await connection.closed
    const body = connection.received.subarray(start)
    expect(body.length).toBeLessThan(large.length)
    expect(body.equals(large.subarray(0, body.length))).toBe(true)
  })
})

describe('an agent that stops', () => {
  it('ends what it has begun, answers what still comes, and closes', async () => {
    const large = seededBytes(32_000_000, 'large')
    const largeDigest = await storeBlob(agent, large)
    const connection = await open()
    connection.request(`/v2/${NAME}/blobs/${largeDigest}`)
    await connection.until(received => received.length > 1000 ? true : undefined)
    connection.socket.pause()
    const closed = agent.app.close()
    connection.request('/v2/')
    connection.socket.resume()
    expect((await connection.answer()).body.equals(large)).toBe(true)
    const { status, headers } = await connection.answer()
    expect(status).toBe(200)
    expect(headers.get('connection')).toBe('close')
    await connection.closed
    await closed
  })

  it('does not wait for connections that rest after their answer', async () => {
    const large = seededBytes(32_000_000, 'large')
    const largeDigest = await storeBlob(agent, large)
    const connection = await open()
    connection.request(`/v2/${NAME}/blobs/${largeDigest}`)
    await connection.until(received => received.length > 1000 ? true : undefined)
    const closed = agent.app.close()
    expect((await connection.answer()).body.equals(large)).toBe(true)
    await closed
  })
})

describe('what was sent', () => {
  it('is told once a request, without headers, whatever went before on the connection', async () => {
    const connection = await open()
    const ranges = [undefined, 'bytes=0-99', undefined, 'bytes=-1']
    for (const range of ranges) {
      connection.request(`/v2/${NAME}/blobs/${digest}`, range === undefined ? {} : { Range: range })
      await connection.answer()
    }
    await until(() => agent.served.length === ranges.length, { what: 'all told' })
    expect(agent.served).toEqual([BLOB.length, 100, BLOB.length, 1].map(bytes => ({ from: 'store', bytes })))
  })

  it('is told for each of several pipelined requests', async () => {
    const connection = await open()
    connection.write(`GET /v2/${NAME}/blobs/${digest} HTTP/1.1\r\nHost: localhost\r\n\r\n`.repeat(3))
    for (let i = 0; i < 3; i++) expect((await connection.answer()).body.equals(BLOB)).toBe(true)
    await until(() => agent.served.length === 3, { what: 'all told' })
    expect(agent.served.map(({ bytes }) => bytes)).toEqual([BLOB.length, BLOB.length, BLOB.length])
  })

  it('is less than all when the client goes away', async () => {
    const large = seededBytes(64_000_000, 'large')
    const largeDigest = await storeBlob(agent, large)
    const connection = await open()
    connection.request(`/v2/${NAME}/blobs/${largeDigest}`)
    await connection.until(received => received.length > 100_000 ? true : undefined)
    connection.close()
    await until(() => agent.served.length === 1, { what: 'told' })
    expect(agent.served[0]?.bytes).toBeGreaterThan(0)
    expect(agent.served[0]?.bytes).toBeLessThan(large.length)
    expect(agent.defects).toEqual([])
  })

  it('counts nothing for HEAD, 304 and misses', async () => {
    const connection = await open()
    connection.request(`/v2/${NAME}/blobs/${digest}`, {}, 'HEAD')
    await connection.answer({ hasBody: false })
    connection.request(`/v2/${NAME}/blobs/${digest}`, { 'If-None-Match': `"${digest}"` })
    expect((await connection.answer()).status).toBe(304)
    connection.request(`/v2/${NAME}/blobs/${digest}`, { Range: 'bytes=9999999-' })
    expect((await connection.answer()).status).toBe(416)
    connection.request(`/v2/${NAME}/blobs/${digest}`, { Range: 'bytes=0-0' })
    await connection.answer()
    await until(() => agent.served.length === 1, { what: 'told' })
    expect(agent.served).toEqual([{ from: 'store', bytes: 1 }])
  })
})

describe('writes', () => {
  it.each(['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])('%s is 405 with Allow, and the connection goes on', async method => {
    const connection = await open()
    for (const path of ['', `${NAME}/manifests/1`, `${NAME}/blobs/uploads/`, `${NAME}/blobs/${digest}`]) {
      connection.request(`/v2/${path}`, { 'Content-Length': '0' }, method)
      const { status, headers, body } = await connection.answer()
      expect(status).toBe(405)
      expect(headers.get('allow')).toBe('GET, HEAD')
      expect(JSON.parse(body.toString())).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] })
    }
    connection.request('/v2/')
    expect((await connection.answer()).status).toBe(200)
  })

  it.each(['application/json', 'application/vnd.oci.image.manifest.v1+json', 'application/octet-stream', 'nonsense', undefined])('with a body of type %s is 405 too', async contentType => {
    const connection = await open()
    connection.request(`/v2/${NAME}/manifests/1`, { 'Content-Length': '7', ...(contentType === undefined ? {} : { 'Content-Type': contentType }) }, 'PUT')
    connection.write('{"a":1}')
    const { status, headers } = await connection.answer()
    expect(status).toBe(405)
    expect(headers.get('connection')).toBe('close')
    await connection.closed
  })

  it('are answered before the body has come, which is not read to its end', async () => {
    const size = 2_000_000_000
    const connection = await open()
    connection.request(`/v2/${NAME}/blobs/uploads/1`, { 'Content-Length': String(size), 'Content-Type': 'application/octet-stream' }, 'PATCH')
    expect((await connection.answer()).status).toBe(405)
    const chunk = Buffer.alloc(1024 * 1024)
    let sent = 0
    const send = (): void => {
      while (!connection.socket.destroyed && sent < size) {
        sent += chunk.length
        if (!connection.socket.write(chunk)) {
          connection.socket.once('drain', send)
          return
        }
      }
    }
    send()
    await connection.closed
    expect(sent).toBeLessThan(100_000_000)
  })

  it('are refused before a client that waits for a sign sends the body', async () => {
    const connection = await open()
    connection.request(`/v2/${NAME}/blobs/uploads/1`, { 'Content-Length': '1000', Expect: '100-continue' }, 'PUT')
    expect((await connection.answer()).status).toBe(405)
  })

  it('to the admin API may send their body after waiting for a sign', async () => {
    const body = '{"reference":"no such reference"}'
    const connection = await open()
    connection.request('/api/v1/pull', { 'Content-Length': String(body.length), 'Content-Type': 'application/json', Expect: '100-continue' }, 'POST')
    expect((await connection.answer({ hasBody: false })).status).toBe(100)
    connection.write(body)
    expect((await connection.answer()).status).toBe(400)
  })
})

describe('names of the agent', () => {
  it.each(['localhost', 'localhost:5000', 'LOCALHOST', 'my.localhost:5000', '127.0.0.1', '127.0.0.1:5000', '192.168.1.7:5000', '[::1]', '[::1]:5000', 'localhost.:5000'])('Host: %s is served', async host => {
    const connection = await open()
    connection.request('/v2/', { Host: host })
    expect((await connection.answer()).status).toBe(200)
  })

  it.each(['evil.test', 'evil.test:5000', '127.0.0.1.evil.test', 'localhost.evil.test', 'xlocalhost', '', ':5000', '[::1].evil.test', '2130706433'])('Host: %s is refused on every path', async host => {
    for (const target of ['/v2/', `/v2/${NAME}/blobs/${digest}`, '/healthz', '/api/v1/peers', '/nowhere', '/%zz']) {
      const connection = await open()
      connection.request(target, { Host: host })
      const { status, headers, body } = await connection.answer()
      expect(status).toBe(403)
      expect(headers.get('docker-distribution-api-version')).toBe('registry/2.0')
      expect(JSON.parse(body.toString())).toMatchObject({ errors: [{ code: 'DENIED' }] })
    }
  })

  it('are those of the configuration too', async () => {
    const named = createTestAgent({ init: { allowedHosts: new Set(['Shoal.Example']) } })
    try {
      for (const host of ['shoal.example', 'SHOAL.example:5000']) {
        expect((await named.app.inject({ url: '/v2/', headers: { host } })).statusCode).toBe(200)
      }
      expect((await named.app.inject({ url: '/v2/', headers: { host: 'other.example' } })).statusCode).toBe(403)
    } finally {
      await named.close()
    }
  })
})
