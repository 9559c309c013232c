import type { LookupAddress } from 'node:dns'
import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import type { OriginBlob } from '../../src/origin/origin.ts'
import { failureOf, image, layer, makeOrigin, readAll, REPOSITORY, startZoo, startZooOrigin } from './zoo-origin.ts'
import { noCredentials } from '../../src/origin/credentials.ts'

const [digest, bytes] = layer

describe('a registry that fails', () => {
  test.each([500, 502, 503, 504])('with %i once is asked again', async status => {
    const { zoo, origin, log } = await startZooOrigin()
    zoo.behave({ times: 1, deed: { type: 'answer', status } })
    expect((await origin.resolve(REPOSITORY, '1')).digest).toBe(image.index.digest)
    expect(zoo.requests).toHaveLength(2)
    expect(log).toContainEqual(expect.objectContaining({ type: 'origin:retry' }))
  })

  test('again and again is ORIGIN_UNAVAILABLE after three attempts', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 500, headers: { 'Content-Type': 'application/json' }, body: '{"errors":[{"code":"UNKNOWN","message":"disk on fire"}]}' } })
    const error = await failureOf(origin.manifest(REPOSITORY, '1'))
    expect(error).toMatchObject({ code: 'ORIGIN_UNAVAILABLE', retryable: true, status: 500 })
    expect(error.message).toContain('disk on fire')
    expect(zoo.requests).toHaveLength(3)
  })

  test('is not asked again beyond the time for attempts', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: { retryMs: 50 }, random: () => 0.99 })
    zoo.behave({ deed: { type: 'answer', status: 500 } })
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).code).toBe('ORIGIN_UNAVAILABLE')
    expect(zoo.requests).toHaveLength(1)
  })

  test('by closing the connection is asked again', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 2, deed: { type: 'drop' } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
    expect(zoo.requests).toHaveLength(3)
  })

  test('before a blob\'s first byte and then works gives the blob', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 2, deed: { type: 'answer', status: 503 } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
  })

  test('with a 501 or another status of its own is ORIGIN_INVALID at once', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 418 } })
    expect(await failureOf(origin.manifest(REPOSITORY, '1'))).toMatchObject({ code: 'ORIGIN_INVALID', status: 418 })
    expect(zoo.requests).toHaveLength(1)
  })
})

describe('a registry that is silent', () => {
  test('before the headers of a manifest is ORIGIN_TIMEOUT, asked once', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: { headersMs: 50 } })
    zoo.behave({ deed: { type: 'hang' } })
    const error = await failureOf(origin.resolve(REPOSITORY, '1'))
    expect(error).toMatchObject({ code: 'ORIGIN_TIMEOUT', phase: 'headers', timeoutMs: 50, retryable: true })
    expect(error.message).toBe(`zoo.test: HEAD ${zoo.url}/v2/team/app/manifests/1: no answer within 50 ms`)
    expect(zoo.requests).toHaveLength(1)
  })

  test('in the middle of a manifest is ORIGIN_TIMEOUT when the whole takes too long', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: { documentMs: 100 } })
    zoo.behave({ deed: { type: 'slow', bytesPerSecond: 50 } })
    expect(await failureOf(origin.manifest(REPOSITORY, '1'))).toMatchObject({ code: 'ORIGIN_TIMEOUT', timeoutMs: 100 })
  })

  test('before it accepts a connection is ORIGIN_TIMEOUT of the connection, and down for the next', async () => {
    const lookup = (): void => {}
    const zoo = await startZoo()
    const origin = makeOrigin({ credentials: noCredentials, lookup: lookup as never }, { 'zoo.test': { url: zoo.url.replace('127.0.0.1', 'localhost') } }, { connectMs: 50 })
    expect(await failureOf(origin.resolve(REPOSITORY, '1'))).toMatchObject({ code: 'ORIGIN_TIMEOUT', phase: 'connect', timeoutMs: 50 })
    expect((await failureOf(origin.resolve(REPOSITORY, '1'))).code).toBe('ORIGIN_UNAVAILABLE')
  })
})

test('a connection that came while this process was busy is none that did not come', async () => {
  const lookup = (_host: string, _options: unknown, callback: (error: null, found: LookupAddress[]) => void): void => {
    callback(null, [{ address: '127.0.0.1', family: 4 }])
    process.nextTick(() => {
      const until = performance.now() + 200
      while (performance.now() < until) { /* busy */ }
    })
  }
  const zoo = await startZoo()
  const origin = makeOrigin({ credentials: noCredentials, lookup: lookup as never }, { 'zoo.test': { url: zoo.url.replace('127.0.0.1', 'localhost') } }, { connectMs: 50 })
  expect((await origin.resolve(REPOSITORY, '1')).digest).toBe(image.index.digest)
  expect(zoo.requests).toHaveLength(1)
})

describe('a registry that is not there', () => {
  test('is ORIGIN_UNAVAILABLE, tried once, and not tried again for two seconds', async () => {
    const zoo = await startZoo()
    await zoo.stop()
    let now = 0
    const log: string[] = []
    const origin = makeOrigin({ credentials: noCredentials, now: () => now, log: ({ type }) => log.push(type) }, { 'zoo.test': { url: zoo.url } })
    const error = await failureOf(origin.resolve(REPOSITORY, '1'))
    expect(error.code).toBe('ORIGIN_UNAVAILABLE')
    expect(error.message).toContain('ECONNREFUSED')
    now = 1900
    expect((await failureOf(origin.blob(REPOSITORY, digest, 0))).message).toContain('not asked')
    expect(log).toEqual(['origin:down'])

    const back = await startZoo({ port: zoo.port })
    now = 2100
    await origin.resolve(REPOSITORY, 'none').catch(() => {})
    expect(back.requests).toHaveLength(1)
  })
})

describe('a registry that says 429', () => {
  test('for a moment is waited for', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 1, deed: { type: 'answer', status: 429, headers: { 'Retry-After': '0' } } })
    expect((await origin.resolve(REPOSITORY, '1')).digest).toBe(image.index.digest)
    expect(zoo.requests).toHaveLength(2)
  })

  test('for a second is waited for that second, and so do those who come meanwhile', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 1, deed: { type: 'answer', status: 429, headers: { 'Retry-After': '1' } } })
    const startedAt = performance.now()
    const first = origin.resolve(REPOSITORY, '1')
    await expect.poll(() => zoo.requests[0]?.status).toBe(429)
    const [, blob] = await Promise.all([first, origin.blob(REPOSITORY, digest, 0)])
    expect(performance.now() - startedAt).toBeGreaterThan(900)
    expect(digestOf(await readAll(blob.body))).toBe(digest)
    expect(zoo.requests).toHaveLength(3)
  })

  test.each([
    ['in seconds', (_wallClock: number) => '120'],
    ['as a date', (wallClock: number) => new Date(wallClock + 120_000).toUTCString()]
  ])('for long, %s, is ORIGIN_RATE_LIMITED, and is left alone until then', async (_, retryAfter) => {
    let now = 0
    const wallClock = Date.UTC(2026, 0, 1)
    const { zoo, origin } = await startZooOrigin({ now: () => now, wallClock: () => wallClock })
    zoo.behave({ times: 1, deed: { type: 'answer', status: 429, headers: { 'Retry-After': retryAfter(wallClock) } } })
    expect(await failureOf(origin.manifest(REPOSITORY, '1'))).toMatchObject({ code: 'ORIGIN_RATE_LIMITED', retryAfterMs: 120_000, retryable: true, status: 429 })
    now = 100_000
    expect(await failureOf(origin.blob(REPOSITORY, digest, 0))).toMatchObject({ code: 'ORIGIN_RATE_LIMITED', retryAfterMs: 20_000 })
    expect(zoo.requests).toHaveLength(1)
    now = 120_001
    expect((await origin.manifest(REPOSITORY, '1')).digest).toBe(image.index.digest)
  })

  test('for a second is no reason to wait for who leaves it to others', async () => {
    let now = 0
    const { zoo, origin } = await startZooOrigin({ now: () => now })
    zoo.behave({ times: 1, deed: { type: 'answer', status: 429, headers: { 'Retry-After': '1' } } })
    const open = async (): Promise<OriginBlob> => origin.blob(REPOSITORY, digest, 0, { failsWhenLimited: true })
    expect(await failureOf(open())).toMatchObject({ code: 'ORIGIN_RATE_LIMITED', retryAfterMs: 1000, status: 429 })
    now = 400
    // it is not asked until then
    expect(await failureOf(open())).toMatchObject({ code: 'ORIGIN_RATE_LIMITED', retryAfterMs: 600 })
    expect(zoo.requests).toHaveLength(1)
    now = 1001
    expect(digestOf(await readAll((await open()).body))).toBe(digest)
  })

  test('without end is ORIGIN_RATE_LIMITED after three attempts', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 429, headers: { 'Retry-After': '0' } } })
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).code).toBe('ORIGIN_RATE_LIMITED')
    expect(zoo.requests).toHaveLength(3)
  })
})

describe('an origin that is closed', () => {
  test('ends what is under way and takes nothing more', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'stall', afterBytes: 100 } })
    const reading = failureOf(readAll((await origin.blob(REPOSITORY, digest, 0)).body))
    await expect.poll(() => zoo.requests[0]?.bytesSent).toBe(100)
    await origin.close()
    expect((await reading).code).toBe('ORIGIN_UNAVAILABLE')
    expect((await failureOf(origin.resolve(REPOSITORY, '1'))).message).toContain('closed')
    await expect.poll(() => zoo.openConnections).toBe(0)
  })
})
