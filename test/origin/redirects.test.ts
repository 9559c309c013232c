import { describe, expect, test } from 'vitest'
import type { Credential } from '../../src/origin/credentials.ts'
import { failureOf, fixedCredential, image, layer, readAll, REPOSITORY, startZoo, startZooOrigin } from './zoo-origin.ts'

const [digest, bytes] = layer
const users = { ada: 'password' }
const ada: Credential = { type: 'password', username: 'ada', password: 'password' }

describe('a redirected blob', () => {
  test.each([301, 302, 303, 307, 308])('comes from where a %i leads, its Range with it and Authorization not', async status => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { auth: { type: 'basic', users } } })
    zoo.behave({ on: { topic: 'blob' }, skip: 1, deed: { type: 'redirect', to: `${store.url}/`, status } })
    const blob = await origin.blob(REPOSITORY, digest, 1000)
    expect(blob).toMatchObject({ start: 1000, access: 'restricted' })
    expect(await readAll(blob.body)).toEqual(bytes.subarray(1000))
    expect(zoo.requests.at(-1)?.headers).toHaveProperty('authorization')
    expect(store.requests).toHaveLength(1)
    expect(store.requests[0]?.headers).toMatchObject({ range: 'bytes=1000-', 'accept-encoding': 'identity' })
    expect(store.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test('keeps Authorization at the same host, port and scheme', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { auth: { type: 'basic', users } } })
    zoo.behave({ on: { topic: 'blob' }, skip: 1, times: 1, deed: { type: 'redirect', to: `/v2/team/app/blobs/${digest}?again` } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
    expect(zoo.requests.at(-1)?.headers).toHaveProperty('authorization')
  })

  test('does not get Authorization back by way of another host', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { auth: { type: 'basic', users } } })
    const mirror = await startZoo()
    mirror.behave({ deed: { type: 'redirect', to: `${zoo.url}/v2/team/app/blobs/back` } })
    zoo.behave({ on: { topic: 'blob' }, skip: 1, times: 1, deed: { type: 'redirect', to: `${mirror.url}/` } })
    await failureOf(origin.blob(REPOSITORY, digest, 0))
    expect(zoo.requests.at(-1)).toMatchObject({ url: '/v2/team/app/blobs/back' })
    expect(zoo.requests.at(-1)?.headers).not.toHaveProperty('authorization')
  })

  test('that is cut is resolved anew at the registry: the target may be what failed', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    store.behave({ times: 1, deed: { type: 'cut', afterBytes: 5000 } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
    expect(zoo.requests).toHaveLength(2)
    expect(store.requests).toHaveLength(2)
  })

  test('is resolved once more when the signature has expired', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    store.behave({ times: 1, deed: { type: 'answer', status: 403 } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
    expect(zoo.requests).toHaveLength(2)
  })

  test('is ORIGIN_DENIED when the target refuses again', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/v2/team/app/blobs/${digest}?signature=s3cr3t` } })
    store.behave({ deed: { type: 'answer', status: 403 } })
    const error = await failureOf(origin.blob(REPOSITORY, digest, 0))
    expect(error.code).toBe('ORIGIN_DENIED')
    expect(error.message).toContain(store.url)
    expect(error.message).not.toContain('s3cr3t')
    expect(store.requests).toHaveLength(2)
  })

  test('is ORIGIN_INVALID after five redirects', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: '/v2/team/app/blobs/again' } })
    expect((await failureOf(origin.blob(REPOSITORY, digest, 0))).code).toBe('ORIGIN_INVALID')
    expect(zoo.requests).toHaveLength(6)
  })

  test.each(['ftp://127.0.0.1/x', 'file:///etc/passwd', 'data:,x'])('is ORIGIN_FORBIDDEN when it leads to %s', async to => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to } })
    expect((await failureOf(origin.blob(REPOSITORY, digest, 0))).code).toBe('ORIGIN_FORBIDDEN')
  })

  test('does not take userinfo along', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: `http://user:word@${store.host}/v2/team/app/blobs/${digest}` } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, 0)).body)).toEqual(bytes)
    expect(store.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test('never shows its query in log or error', async () => {
    const { zoo, origin, log } = await startZooOrigin()
    const store = await startZoo()
    store.behave({ times: 3, deed: { type: 'answer', status: 500 } })
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/v2/team/app/blobs/${digest}?X-Amz-Signature=s3cr3t` } })
    const error = await failureOf(origin.blob(REPOSITORY, digest, 0))
    expect(JSON.stringify([log, error.message, error.stack])).not.toContain('s3cr3t')
    expect(log.filter(({ type }) => type === 'origin:request')).toHaveLength(4)
  })
})

describe('the parts of a redirected blob', () => {
  const part = (index: number): [number, { end: number }] => [index * 100, { end: index * 100 + 100 }]

  test('cost the registry one request', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    for (const index of [0, 1, 2, 3]) {
      const blob = await origin.blob(REPOSITORY, digest, ...part(index))
      expect(await readAll(blob.body)).toEqual(bytes.subarray(index * 100, index * 100 + 100))
    }
    expect(zoo.requests).toHaveLength(1)
    expect(store.requests).toHaveLength(4)
  })

  test('are asked for at the registry again after a minute', async () => {
    let nowMs = 0
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin({ now: () => nowMs })
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    for (const atMs of [0, 59_999, 60_000, 100_000]) {
      nowMs = atMs
      await readAll((await origin.blob(REPOSITORY, digest, ...part(1))).body)
    }
    expect(zoo.requests).toHaveLength(2)
    expect(store.requests).toHaveLength(4)
  })

  test.each([400, 401, 403, 404, 410, 503])('are asked for at the registry again when the target says %i', async status => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin({ timeouts: { retryMs: 1 } })
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    await readAll((await origin.blob(REPOSITORY, digest, ...part(0))).body)
    store.behave({ times: 1, deed: { type: 'answer', status } })
    expect(await readAll((await origin.blob(REPOSITORY, digest, ...part(1))).body)).toEqual(bytes.subarray(100, 200))
    await readAll((await origin.blob(REPOSITORY, digest, ...part(2))).body)
    expect(zoo.requests).toHaveLength(2)
    expect(store.requests).toHaveLength(4)
  })

  test('are asked for at the registry again when the target is gone', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 1, deed: { type: 'redirect', to: `${store.url}/` } })
    await readAll((await origin.blob(REPOSITORY, digest, ...part(0))).body)
    await store.stop()
    expect(await readAll((await origin.blob(REPOSITORY, digest, ...part(1))).body)).toEqual(bytes.subarray(100, 200))
    expect(zoo.requests).toHaveLength(2)
  })

  test('are asked for at the registry again when the target was silent', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin({ timeouts: { firstByteMs: 150 } })
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    await readAll((await origin.blob(REPOSITORY, digest, ...part(0))).body)
    store.behave({ times: 1, deed: { type: 'hang' } })
    expect((await failureOf(origin.blob(REPOSITORY, digest, ...part(1)))).code).toBe('ORIGIN_TIMEOUT')
    await readAll((await origin.blob(REPOSITORY, digest, ...part(1))).body)
    expect(zoo.requests).toHaveLength(2)
  })

  test('stay restricted, and Authorization stays with the registry', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { auth: { type: 'basic', users } } })
    zoo.behave({ on: { topic: 'blob' }, skip: 1, deed: { type: 'redirect', to: `${store.url}/` } })
    for (const index of [0, 1]) {
      const blob = await origin.blob(REPOSITORY, digest, ...part(index))
      expect(blob.access).toBe('restricted')
      await readAll(blob.body)
    }
    expect(zoo.requests).toHaveLength(2)
    expect(store.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, undefined])
  })

  test('come with Authorization where the target is the registry itself', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { auth: { type: 'basic', users } } })
    zoo.behave({ on: { topic: 'blob' }, skip: 1, times: 1, deed: { type: 'redirect', to: `/v2/team/app/blobs/${digest}?here` } })
    for (const index of [0, 1]) await readAll((await origin.blob(REPOSITORY, digest, ...part(index))).body)
    expect(zoo.requests.slice(-2).map(({ url }) => url)).toEqual(Array(2).fill(`/v2/team/app/blobs/${digest}?here`))
    expect(zoo.requests.at(-1)?.headers).toHaveProperty('authorization')
    expect(zoo.requests).toHaveLength(4)
  })

  test('of another repository are its registry\'s to give', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    await readAll((await origin.blob(REPOSITORY, digest, ...part(0))).body)
    await failureOf(origin.blob({ ...REPOSITORY, name: 'team/other' }, digest, ...part(0)))
    expect(zoo.requests.map(({ repository }) => repository)).toContain('team/other')
  })
})

test('a redirected manifest comes from there', async () => {
  const mirror = await startZoo()
  const { zoo, origin } = await startZooOrigin()
  zoo.behave({ deed: { type: 'redirect', to: `${mirror.url}/` } })
  expect((await origin.resolve(REPOSITORY, '1')).digest).toBe(image.index.digest)
  expect((await origin.manifest(REPOSITORY, '1')).digest).toBe(image.index.digest)
})
