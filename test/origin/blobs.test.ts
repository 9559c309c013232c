import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import fc from 'fast-check'
import { describe, expect, onTestFinished, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { noCredentials } from '../../src/origin/credentials.ts'
import { seededBytes } from '../support/image.ts'
import { failureOf, layer, makeOrigin, readAll, REPOSITORY, startZooOrigin } from './zoo-origin.ts'

const [digest, bytes] = layer
const SHORT = { firstByteMs: 150, stallMs: 150 }

describe('a blob', () => {
  test('comes as a whole, without Range', async () => {
    const { zoo, origin } = await startZooOrigin()
    const blob = await origin.blob(REPOSITORY, digest, 0)
    expect(blob).toMatchObject({ size: bytes.length, start: 0, isPart: false, access: 'public' })
    expect(await readAll(blob.body)).toEqual(bytes)
    expect(zoo.requests[0]?.headers).not.toHaveProperty('range')
  })

  test.each([false, true])('asked for by its ends tells whether the origin knows ranges (ignores them: %s)', async ignoresRange => {
    const { zoo, origin } = await startZooOrigin()
    if (ignoresRange) zoo.behave({ deed: { type: 'ignore-range' } })
    const blob = await origin.blob(REPOSITORY, digest, 0, { end: bytes.length })
    expect(blob).toMatchObject({ size: bytes.length, start: 0, end: bytes.length, isPart: !ignoresRange })
    expect(await readAll(blob.body)).toEqual(bytes)
    expect(zoo.requests[0]?.headers.range).toBe(`bytes=0-${bytes.length - 1}`)
  })

  test('comes from a byte on', async () => {
    const { zoo, origin } = await startZooOrigin()
    const blob = await origin.blob(REPOSITORY, digest, 1000)
    expect(blob).toMatchObject({ size: bytes.length, start: 1000 })
    expect(await readAll(blob.body)).toEqual(bytes.subarray(1000))
    expect(zoo.requests[0]?.headers.range).toBe('bytes=1000-')
  })

  test('comes from its beginning where the origin ignores Range, and says so', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'ignore-range' } })
    const blob = await origin.blob(REPOSITORY, digest, 1000)
    expect(blob).toMatchObject({ size: bytes.length, start: 0 })
    expect(await readAll(blob.body)).toEqual(bytes)
  })

  test('from its very end is empty: 416 says the size', async () => {
    const { origin } = await startZooOrigin()
    const blob = await origin.blob(REPOSITORY, digest, bytes.length)
    expect(blob).toMatchObject({ size: bytes.length, start: bytes.length })
    expect(await readAll(blob.body)).toHaveLength(0)
  })

  test('from beyond its end is ORIGIN_INVALID', async () => {
    const { origin } = await startZooOrigin()
    expect(await failureOf(origin.blob(REPOSITORY, digest, bytes.length + 1))).toMatchObject({ code: 'ORIGIN_INVALID', status: 416 })
  })

  test('from its very end needs no body of the 416, which may not come as announced', async () => {
    const { zoo, origin } = await startZooOrigin()
    const startedAt = performance.now()
    zoo.behave({ deed: { type: 'answer', status: 416, headers: { 'Content-Range': `bytes */${bytes.length}`, 'Content-Length': '1000' } } })
    expect((await origin.blob(REPOSITORY, digest, bytes.length)).size).toBe(bytes.length)
    expect(performance.now() - startedAt).toBeLessThan(400)
    await expect.poll(() => zoo.openConnections).toBe(0)
  })

  test('of no bytes at all is one', async () => {
    const empty = Buffer.alloc(0)
    const { origin } = await startZooOrigin({ zoo: { repositories: { 'team/app': { blobs: [empty] } } } })
    const blob = await origin.blob(REPOSITORY, digestOf(empty), 0)
    expect(blob.size).toBe(0)
    expect(await readAll(blob.body)).toHaveLength(0)
  })

  test('without Content-Length has no size, and comes whole', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'headers', headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' } } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    expect(blob.size).toBeUndefined()
    expect(await readAll(blob.body)).toEqual(bytes)
  })

  test.each([
    ['another start', { 'Content-Range': `bytes 999-${bytes.length - 1}/${bytes.length}` }],
    ['an end beyond the total', { 'Content-Range': `bytes 1000-${bytes.length}/${bytes.length}` }],
    ['no Content-Range', { 'Content-Range': undefined }],
    ['a Content-Range that is none', { 'Content-Range': 'bytes 1000-/5' }],
    ['another Content-Length than range', { 'Content-Range': `bytes 1000-${bytes.length - 2}/${bytes.length}` }],
    ['an encoding nobody asked for', { 'Content-Encoding': 'gzip' }]
  ])('is refused when a 206 comes with %s', async (_, headers) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'headers', headers } })
    expect(await failureOf(origin.blob(REPOSITORY, digest, 1000))).toMatchObject({ code: 'ORIGIN_INVALID', blamesPeer: true })
  })

  test('that is unknown is ORIGIN_NOT_FOUND soon, though the answer\'s body never comes', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 404, headers: { 'Content-Length': '1000' } } })
    const startedAt = performance.now()
    expect((await failureOf(origin.blob(REPOSITORY, digest, 0))).code).toBe('ORIGIN_NOT_FOUND')
    expect(performance.now() - startedAt).toBeLessThan(2000)
  })

  test('that is unknown is ORIGIN_NOT_FOUND', async () => {
    const { origin } = await startZooOrigin()
    expect((await failureOf(origin.blob(REPOSITORY, digestOf(Buffer.from('nobody has it')), 0))).code).toBe('ORIGIN_NOT_FOUND')
  })
})

describe('a part of a blob', () => {
  test('is what was asked for, at any bounds', async () => {
    const { zoo, origin } = await startZooOrigin()
    const bounds = fc.tuple(fc.nat({ max: bytes.length - 1 }), fc.integer({ min: 1, max: bytes.length }))
    await fc.assert(fc.asyncProperty(bounds, async ([start, length]) => {
      const end = Math.min(start + length, bytes.length)
      const blob = await origin.blob(REPOSITORY, digest, start, { end: start + length })
      expect(blob).toMatchObject({ size: bytes.length, start, end })
      expect(await readAll(blob.body)).toEqual(bytes.subarray(start, end))
      expect(zoo.requests.at(-1)?.headers.range).toBe(`bytes=${start}-${start + length - 1}`)
    }), { numRuns: 30 })
  })

  test('is the whole where the origin ignores Range, and says so', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'ignore-range' } })
    const blob = await origin.blob(REPOSITORY, digest, 1000, { end: 2000 })
    expect(blob).toMatchObject({ size: bytes.length, start: 0, end: bytes.length })
    expect(await readAll(blob.body)).toEqual(bytes)
  })

  test('from the very end is empty: 416 says the size', async () => {
    const { origin } = await startZooOrigin()
    const blob = await origin.blob(REPOSITORY, digest, bytes.length, { end: bytes.length + 10 })
    expect(blob).toMatchObject({ size: bytes.length, start: bytes.length, end: bytes.length })
    expect(await readAll(blob.body)).toHaveLength(0)
  })

  test('without a byte is a mistake of the caller', async () => {
    const { zoo, origin } = await startZooOrigin()
    await expect(origin.blob(REPOSITORY, digest, 1000, { end: 1000 })).rejects.toThrow(RangeError)
    expect(zoo.requests).toEqual([])
  })

  test.each([
    ['more than was asked for', { 'Content-Range': `bytes 1000-2000/${bytes.length}`, 'Content-Length': '1001' }],
    ['all the rest', { 'Content-Range': `bytes 1000-${bytes.length - 1}/${bytes.length}`, 'Content-Length': undefined }],
    ['another start', { 'Content-Range': `bytes 999-1999/${bytes.length}` }]
  ])('is refused when the answer is %s', async (_, headers) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'headers', headers } })
    expect(await failureOf(origin.blob(REPOSITORY, digest, 1000, { end: 2000 }))).toMatchObject({ code: 'ORIGIN_INVALID', blamesPeer: true })
  })

  test('is refused when more bytes come than the answer announced', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 206, headers: { 'Content-Range': `bytes 1000-1999/${bytes.length}`, 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }, body: bytes.subarray(1000, 2001) } })
    const blob = await origin.blob(REPOSITORY, digest, 1000, { end: 2000 })
    expect((await failureOf(readAll(blob.body))).code).toBe('ORIGIN_INVALID')
  })

  test('is completed where the origin gives less at a time', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 1, deed: { type: 'answer', status: 206, headers: { 'Content-Range': `bytes 1000-1299/${bytes.length}` }, body: bytes.subarray(1000, 1300) } })
    const blob = await origin.blob(REPOSITORY, digest, 1000, { end: 2000 })
    expect(blob.end).toBe(2000)
    expect(await readAll(blob.body)).toEqual(bytes.subarray(1000, 2000))
    expect(zoo.requests[1]?.headers.range).toBe('bytes=1300-1999')
  })

  test('of a blob of unknown size ends where it was told to, or with the blob', async () => {
    const { zoo, origin } = await startZooOrigin()
    const start = bytes.length - 500
    zoo.behave({ times: 1, deed: { type: 'headers', headers: { 'Content-Range': `bytes ${start}-${bytes.length - 1}/*` } } })
    const blob = await origin.blob(REPOSITORY, digest, start, { end: bytes.length + 500 })
    expect(blob.size).toBeUndefined()
    expect(await readAll(blob.body)).toEqual(bytes.subarray(start))
  })

  test('that is cut is resumed at any byte, up to its end', async () => {
    const { zoo, origin } = await startZooOrigin()
    await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: 4000 }), { maxLength: 4 }), async cuts => {
      zoo.behaveWell()
      for (const afterBytes of cuts) zoo.behave({ times: 1, deed: { type: 'cut', afterBytes } })
      const blob = await origin.blob(REPOSITORY, digest, 1000, { end: 5000 })
      expect(await readAll(blob.body)).toEqual(bytes.subarray(1000, 5000))
      expect(zoo.requests.at(-1)?.headers.range).toMatch(/^bytes=\d+-4999$/)
    }), { numRuns: 25 })
  })

  test('that is all there is whole, though its last chunk is cut off', async () => {
    let requests = 0
    const server = createServer((_request, response) => {
      requests++
      response.writeHead(206, { 'Content-Range': `bytes 1000-1999/${bytes.length}`, 'Transfer-Encoding': 'chunked' })
      response.write(bytes.subarray(1000, 2000), () => { response.socket?.destroySoon() })
    }).listen(0, '127.0.0.1')
    await once(server, 'listening')
    onTestFinished(() => { server.close() })
    const origin = makeOrigin({ credentials: noCredentials }, { [REPOSITORY.registry]: { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } })
    const blob = await origin.blob(REPOSITORY, digest, 1000, { end: 2000 })
    expect(await readAll(blob.body)).toEqual(bytes.subarray(1000, 2000))
    expect(requests).toBe(1)
  })

  test.each([0, 500, 4000])('that is cut after %i bytes ends at its end, though the origin begins to ignore Range', async afterBytes => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'ignore-range' } })
    zoo.behave({ times: 1, deed: { type: 'cut', afterBytes } })
    const blob = await origin.blob(REPOSITORY, digest, 1000, { end: 5000 })
    expect(await readAll(blob.body)).toEqual(bytes.subarray(1000, 5000))
    await expect.poll(() => zoo.openConnections).toBeLessThanOrEqual(1)
  })
})

describe('a body that is cut', () => {
  test('is resumed by Range at any byte, unseen by the reader', async () => {
    const { zoo, origin } = await startZooOrigin()
    await fc.assert(fc.asyncProperty(fc.array(fc.nat({ max: bytes.length - 1 }), { maxLength: 4 }), async cuts => {
      zoo.behaveWell()
      for (const afterBytes of cuts) zoo.behave({ times: 1, deed: { type: 'cut', afterBytes } })
      const blob = await origin.blob(REPOSITORY, digest, 0)
      expect(digestOf(await readAll(blob.body))).toBe(digest)
    }), { numRuns: 25 })
  })

  test('is resumed at the byte reached, with If-Range for the same content', async () => {
    const { zoo, origin, log } = await startZooOrigin()
    zoo.behave({ times: 1, deed: { type: 'cut', afterBytes: 5000 } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 100)).body)).toEqual(bytes.subarray(100))
    expect(zoo.requests[1]?.headers).toMatchObject({ range: 'bytes=5100-', 'if-range': `"${digest}"` })
    expect(log).toContainEqual(expect.objectContaining({ type: 'origin:resumed', at: 5100 }))
  })

  test('is read again and its beginning dropped where the origin ignores Range', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'ignore-range' } })
    zoo.behave({ times: 1, deed: { type: 'cut', afterBytes: 100_000 } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
    expect(zoo.requests).toHaveLength(2)
  })

  test.each([
    ['another ETag', { ETag: '"another"' }],
    ['another total', { 'Content-Range': `bytes 5000-${bytes.length - 1}/${bytes.length + 7}` }],
    ['another start', { 'Content-Range': `bytes 4000-${bytes.length - 1001}/${bytes.length}` }]
  ])('is ORIGIN_INVALID when it goes on with %s', async (_, headers) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'headers', headers } })
    zoo.behave({ times: 1, deed: { type: 'cut', afterBytes: 5000 } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    expect((await failureOf(readAll(blob.body))).code).toBe('ORIGIN_INVALID')
  })

  test('is ORIGIN_UNAVAILABLE after five attempts that bring no byte', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'cut', afterBytes: 0 } })
    zoo.behave({ times: 1, deed: { type: 'cut', afterBytes: 5000 } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    const error = await failureOf(readAll(blob.body))
    expect(error).toMatchObject({ code: 'ORIGIN_UNAVAILABLE', retryable: true })
    expect(error.message).toContain('at byte 5000')
    expect(zoo.requests).toHaveLength(6)
  })

  test('is given up when the origin cuts without end, though a byte comes each time', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'cut', afterBytes: 1 } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    expect((await failureOf(readAll(blob.body))).code).toBe('ORIGIN_UNAVAILABLE')
    expect(zoo.requests).toHaveLength(101)
  })

  test('is given up at once when the registry is gone', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'stall', afterBytes: 5000 } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    const reading = failureOf(readAll(blob.body))
    await expect.poll(() => zoo.requests[0]?.bytesSent).toBe(5000)
    await zoo.stop()
    expect((await reading).code).toBe('ORIGIN_UNAVAILABLE')
  })
})

describe('silence', () => {
  test('before the headers is ORIGIN_TIMEOUT', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: SHORT })
    zoo.behave({ deed: { type: 'hang' } })
    const startedAt = performance.now()
    expect(await failureOf(origin.blob(REPOSITORY, digest, 0))).toMatchObject({ code: 'ORIGIN_TIMEOUT', retryable: true, timeoutMs: 150 })
    expect(performance.now() - startedAt).toBeLessThan(1000)
    expect(zoo.requests).toHaveLength(1)
  })

  test('before the first byte is ORIGIN_TIMEOUT', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: SHORT })
    zoo.behave({ deed: { type: 'stall', afterBytes: 0 } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    expect(await failureOf(readAll(blob.body))).toMatchObject({ code: 'ORIGIN_TIMEOUT', phase: 'first byte' })
    expect(zoo.requests).toHaveLength(1)
  })

  test('in the middle is resumed once', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: SHORT })
    zoo.behave({ times: 1, deed: { type: 'stall', afterBytes: 5000 } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
  })

  test('in the middle, and again after resuming, is ORIGIN_TIMEOUT', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: SHORT })
    zoo.behave({ deed: { type: 'hang' } })
    zoo.behave({ times: 1, deed: { type: 'stall', afterBytes: 5000 } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    expect((await failureOf(readAll(blob.body))).code).toBe('ORIGIN_TIMEOUT')
    expect(zoo.requests).toHaveLength(2)
  })

  test('does not count while bytes come slowly', async () => {
    const small = seededBytes(200, 'small')
    const { zoo, origin } = await startZooOrigin({ timeouts: SHORT, zoo: { repositories: { 'team/app': { blobs: [small] } } } })
    zoo.behave({ deed: { type: 'slow', bytesPerSecond: 500 } })
    expect(await readAll((await origin.blob(REPOSITORY, digestOf(small), 0)).body)).toEqual(small)
    expect(zoo.requests).toHaveLength(1)
  })
})

describe('a reader', () => {
  const big = seededBytes(32 * 1024 * 1024, 'big')
  const repositories = { 'team/app': { blobs: [big] } }

  test.each(['after some bytes', 'before any'])('that leaves %s frees the connection', async when => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories } })
    const blob = await origin.blob(REPOSITORY, digestOf(big), 0)
    const iterator = blob.body[Symbol.asyncIterator]()
    if (when === 'after some bytes') await iterator.next()
    await iterator.return?.()
    expect(await iterator.next()).toEqual({ value: undefined, done: true })
    await expect.poll(() => zoo.openConnections).toBe(0)
  })

  test.each(['while it waits', 'between chunks', 'before it begins'])('whose signal ends %s gets the signal\'s reason', async when => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories } })
    if (when === 'while it waits') zoo.behave({ deed: { type: 'stall', afterBytes: 10 } })
    const controller = new AbortController()
    const reason = new Error('no longer wanted')
    const blob = await origin.blob(REPOSITORY, digestOf(big), 0, { signal: controller.signal })
    const iterator = blob.body[Symbol.asyncIterator]()
    if (when === 'before it begins') controller.abort(reason)
    else await iterator.next()
    const next = iterator.next()
    if (when !== 'between chunks') controller.abort(reason)
    else await next
    controller.abort(reason)
    await expect(when === 'between chunks' ? readAll({ [Symbol.asyncIterator]: () => iterator }) : next).rejects.toBe(reason)
    await expect.poll(() => zoo.openConnections).toBe(0)
  })
})

describe('the size of a blob', () => {
  test('comes by HEAD', async () => {
    const { zoo, origin } = await startZooOrigin()
    expect(await origin.statBlob(REPOSITORY, digest)).toEqual({ size: bytes.length, access: 'public' })
    expect(zoo.requests.map(({ method }) => method)).toEqual(['HEAD'])
  })

  test.each([
    ['redirected', { type: 'answer', status: 307, headers: { Location: 'http://127.0.0.1:1/signed-for-head' } }],
    ['not known', { type: 'answer', status: 405 }],
    ['answered without a length', { type: 'headers', headers: { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' } }]
  ] as const)('comes by a GET of one byte where HEAD is %s', async (_, deed) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ on: { method: 'HEAD' }, deed })
    expect(await origin.statBlob(REPOSITORY, digest)).toEqual({ size: bytes.length, access: 'public' })
    expect(zoo.requests[1]).toMatchObject({ method: 'GET', bytesSent: 1 })
  })

  test('of an unknown blob is ORIGIN_NOT_FOUND', async () => {
    const { origin } = await startZooOrigin()
    expect((await failureOf(origin.statBlob(REPOSITORY, digestOf(Buffer.from('unknown'))))).code).toBe('ORIGIN_NOT_FOUND')
  })
})
