import { describe, expect, test } from 'vitest'
import type { Credential } from '../../src/origin/credentials.ts'
import { failureOf, fixedCredential, image, layer, makeOrigin, readAll, REPOSITORY, startZoo, startZooOrigin } from './zoo-origin.ts'

const [digest, bytes] = layer
const users = { ada: 'pa:ss wörd' }
const ada: Credential = { type: 'password', username: 'ada', password: users.ada }
const adasHeader = `Basic ${Buffer.from('ada:pa:ss wörd').toString('base64')}`
const repositories = { 'team/app': { images: [image], tags: { 1: image.index } }, 'team/other': { images: [image], tags: { 1: image.index } } }
const OTHER = { ...REPOSITORY, name: 'team/other' }

describe('a registry with Bearer tokens', () => {
  test('gets an anonymous token when we have no credentials, and what it gives is public', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users } } })
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('public')
    expect(zoo.requests.map(({ topic }) => topic)).toEqual(['manifest', 'token', 'manifest'])
    const token = new URL(zoo.requests[1]?.url ?? '', zoo.url).searchParams
    expect(Object.fromEntries(token)).toEqual({ service: 'zoo.test', scope: 'repository:team/app:pull' })
  })

  test('is asked as anybody first even if we have credentials: what is public stays public, and no password is sent', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { repositories, auth: { type: 'bearer', users } } })
    expect((await origin.manifest(REPOSITORY, '1')).access).toBe('public')
    expect(zoo.requests.some(({ headers }) => headers.authorization?.startsWith('Basic') ?? false)).toBe(false)
  })

  test.each([
    ['an anonymous token is not enough', { closed: ['team/app'] }],
    ['the token server wants a user', { refusesAnonymous: true }]
  ])('gets a token with our credentials where %s, and what it gives is restricted', async (_, how) => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { repositories, auth: { type: 'bearer', users, ...how } } })
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('restricted')
    const withPassword = zoo.requests.filter(({ headers }) => headers.authorization === adasHeader)
    expect(withPassword.map(({ topic }) => topic)).toEqual(['token'])
    expect(new URL(withPassword[0]?.url ?? '', zoo.url).searchParams.get('account')).toBe('ada')
  })

  test('is asked straight with what worked before, and one token serves many requests at once', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { repositories, auth: { type: 'bearer', users, closed: ['team/app'] } } })
    await origin.resolve(REPOSITORY, '1')
    const before = zoo.requests.length
    await Promise.all(Array.from({ length: 5 }, async () => readAll((await origin.blob(REPOSITORY, digest, 0)).body)))
    expect(zoo.requests.slice(before).map(({ topic, status }) => `${topic} ${status}`)).toEqual(Array(5).fill('blob 200'))
  })

  test('gives one token to many that ask in the same moment', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users } } })
    await Promise.all(Array.from({ length: 8 }, () => origin.resolve(REPOSITORY, '1')))
    expect(zoo.requests.filter(({ topic }) => topic === 'token')).toHaveLength(1)
  })

  test('gets a token for each repository', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users } } })
    await origin.resolve(REPOSITORY, '1')
    await origin.resolve(OTHER, '1')
    const scopes = zoo.requests.filter(({ topic }) => topic === 'token').map(({ url }) => new URL(url, zoo.url).searchParams.get('scope'))
    expect(scopes).toEqual(['repository:team/app:pull', 'repository:team/other:pull'])
  })

  test.each([
    ['before its end, as its server says', 100, 91_000],
    ['after less than a minute where its server says nothing', undefined, 51_000]
  ])('gets a new token %s', async (_, expiresInSeconds, afterMs) => {
    let now = 0
    const { zoo, origin } = await startZooOrigin({ now: () => now, zoo: { repositories, auth: { type: 'bearer', users, expiresInSeconds } } })
    await origin.resolve(REPOSITORY, '1')
    now = afterMs - 2000
    await origin.resolve(REPOSITORY, '1')
    expect(zoo.requests.filter(({ topic }) => topic === 'token')).toHaveLength(1)
    now = afterMs
    await origin.resolve(REPOSITORY, '1')
    expect(zoo.requests.filter(({ topic }) => topic === 'token')).toHaveLength(2)
  })

  test('gets a new token when it no longer takes the one it gave', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users } } })
    await origin.resolve(REPOSITORY, '1')
    zoo.revokeTokens()
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('public')
  })

  test('may call its token access_token', async () => {
    const { origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users, tokenField: 'access_token' } } })
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('public')
  })

  test('takes an identity token by POST', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential({ type: 'identity-token', token: 're/fresh+me' }), zoo: { repositories, auth: { type: 'bearer', users, refusesAnonymous: true, identityTokens: ['re/fresh+me'] } } })
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('restricted')
    const post = zoo.requests.find(({ method }) => method === 'POST')
    expect(Object.fromEntries(new URLSearchParams(post?.body))).toEqual({ grant_type: 'refresh_token', service: 'zoo.test', client_id: 'shoal', scope: 'repository:team/app:pull', refresh_token: 're/fresh+me' })
    expect(post?.url).toBe('/token')
  })

  test('is asked as anybody again after ten minutes, for it may have been opened', async () => {
    let now = 0
    const { zoo, origin } = await startZooOrigin({ now: () => now, credentials: fixedCredential(ada), zoo: { repositories, auth: { type: 'bearer', users, refusesAnonymous: true } } })
    await origin.resolve(REPOSITORY, '1')
    now = 599_000
    const before = zoo.requests.length
    await origin.resolve(REPOSITORY, '1')
    expect(zoo.requests.slice(before).map(({ headers }) => headers.authorization?.slice(0, 6))).not.toContain(undefined)
    now = 601_000
    const again = zoo.requests.length
    await origin.resolve(REPOSITORY, '1')
    expect(zoo.requests[again]?.headers).not.toHaveProperty('authorization')
  })

  test('that refuses our password is ORIGIN_DENIED, and no error or log holds a secret', async () => {
    const wrong: Credential = { type: 'password', username: 'ada', password: 's3cr3t-word' }
    const { origin, log, zoo } = await startZooOrigin({ credentials: fixedCredential(wrong), zoo: { repositories, auth: { type: 'bearer', users, closed: ['team/app'] } } })
    const error = await failureOf(origin.resolve(REPOSITORY, '1'))
    expect(error).toMatchObject({ code: 'ORIGIN_DENIED', retryable: false })
    const issued = zoo.requests.map(({ headers }) => headers.authorization ?? '').filter(header => header !== '')
    const told = JSON.stringify([log, error.message, error.stack, error.cause])
    for (const secret of ['s3cr3t-word', ...issued.map(header => header.split(' ')[1] ?? '')]) expect(told).not.toContain(secret)
  })

  test('whose token server answers nonsense is ORIGIN_INVALID', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users } } })
    zoo.behave({ on: { topic: 'token' }, deed: { type: 'answer', status: 200, body: '{"token":"new\\r\\nline"}' } })
    expect((await failureOf(origin.resolve(REPOSITORY, '1'))).code).toBe('ORIGIN_INVALID')
  })

  test('whose token server is silent is ORIGIN_TIMEOUT', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: { tokenMs: 50 }, zoo: { repositories, auth: { type: 'bearer', users } } })
    zoo.behave({ on: { topic: 'token' }, deed: { type: 'hang' } })
    expect(await failureOf(origin.resolve(REPOSITORY, '1'))).toMatchObject({ code: 'ORIGIN_TIMEOUT', timeoutMs: 50 })
  })

  test('asked with a signal that ends while others wait for the same token leaves them their token', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users } } })
    zoo.behave({ on: { topic: 'token' }, times: 1, deed: { type: 'slow', bytesPerSecond: 500 } })
    const controller = new AbortController()
    const impatient = origin.resolve(REPOSITORY, '1', { signal: controller.signal })
    const patient = origin.resolve(REPOSITORY, '1')
    await expect.poll(() => zoo.requests.filter(({ topic }) => topic === 'token').length).toBe(1)
    controller.abort(new Error('impatient'))
    await expect(impatient).rejects.toThrow('impatient')
    expect((await patient).access).toBe('public')
  })
})

describe('the token server of a registry', () => {
  test('at another host gets no credentials: ORIGIN_FORBIDDEN, and the log says why', async () => {
    const stranger = await startZoo({ auth: { type: 'bearer', users } })
    const { origin, log } = await startZooOrigin({
      credentials: fixedCredential(ada),
      zoo: { repositories, auth: { type: 'bearer', users, realm: stranger.url.replace('127.0.0.1', 'localhost') + '/token' } }
    })
    expect((await failureOf(origin.resolve(REPOSITORY, '1'))).code).toBe('ORIGIN_FORBIDDEN')
    expect(stranger.requests).toHaveLength(0)
    expect(log).toContainEqual(expect.objectContaining({ type: 'origin:realm-refused' }))
  })

  test('at another host gets them when it is allow-listed', async () => {
    const tokens = await startZoo({ auth: { type: 'bearer', users } })
    const realm = tokens.url.replace('127.0.0.1', 'localhost')
    const { zoo, origin } = await startZooOrigin({
      credentials: fixedCredential(ada),
      config: { realms: ['localhost'] },
      zoo: { repositories, auth: { type: 'bearer', users, closed: ['team/app'], realm: `${realm}/token` } }
    })
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('restricted')
    expect(tokens.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, adasHeader])
    expect(zoo.requests.every(({ headers }) => headers.authorization?.startsWith('Basic') !== true)).toBe(true)
  })
})

describe('a registry with Basic authentication', () => {
  test('gets our password when it asks for it, and what it gives is restricted', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { repositories, auth: { type: 'basic', users } } })
    const blob = await origin.blob(REPOSITORY, digest, 0)
    expect(blob.access).toBe('restricted')
    expect(await readAll(blob.body)).toEqual(bytes)
    await origin.resolve(REPOSITORY, '1')
    expect(zoo.requests.map(({ headers }) => headers.authorization)).toEqual([undefined, adasHeader, adasHeader])
  })

  test('is ORIGIN_DENIED without credentials', async () => {
    const { origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'basic', users } } })
    expect(await failureOf(origin.resolve(REPOSITORY, '1'))).toMatchObject({ code: 'ORIGIN_DENIED', status: 401 })
  })

  test('that asks nobody gets nothing, and what it gives is public', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada) })
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('public')
    expect(zoo.requests[0]?.headers).not.toHaveProperty('authorization')
  })
})

describe('credentials', () => {
  test('are looked for under the host that is really asked, with its base path', async () => {
    const credentials = fixedCredential(ada)
    const zoo = await startZoo({ auth: { type: 'basic', users }, repositories: { 'proxy/ghcr/team/app': { images: [image], tags: { 1: image.index } } } })
    const origin = makeOrigin({ credentials }, { 'ghcr.io': { url: `${zoo.url}/proxy/ghcr/` } })
    await origin.resolve({ registry: 'ghcr.io', name: 'team/app' }, '1')
    expect(new Set(credentials.asked)).toEqual(new Set([`${zoo.host}/proxy/ghcr/team/app`]))
  })

  test('of the configuration win over those of files', async () => {
    const credentials = fixedCredential({ type: 'password', username: 'eve', password: 'x' })
    const { origin } = await startZooOrigin({ credentials, config: { username: 'ada', password: users.ada }, zoo: { repositories, auth: { type: 'basic', users } } })
    expect((await origin.resolve(REPOSITORY, '1')).access).toBe('restricted')
    expect(credentials.asked).toEqual([])
  })

  test('are used when the registry limits strangers, and what comes is restricted', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { repositories, auth: { type: 'bearer', users } } })
    await origin.resolve(REPOSITORY, '1')
    zoo.behave({ on: { topic: 'manifest' }, times: 1, deed: { type: 'answer', status: 429, headers: { 'Retry-After': '3600' } } })
    expect((await origin.manifest(REPOSITORY, '1')).access).toBe('restricted')
  })

  test('that are not there leave a limited stranger to wait', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories, auth: { type: 'bearer', users } } })
    await origin.resolve(REPOSITORY, '1')
    zoo.behave({ on: { topic: 'manifest' }, times: 2, deed: { type: 'answer', status: 429, headers: { 'Retry-After': '0' } } })
    expect((await origin.manifest(REPOSITORY, '1')).access).toBe('public')
    zoo.behave({ on: { topic: 'manifest' }, times: 1, deed: { type: 'answer', status: 429, headers: { 'Retry-After': '3600' } } })
    const error = await failureOf(origin.manifest(REPOSITORY, '1'))
    expect(error.code).toBe('ORIGIN_RATE_LIMITED')
    expect(error.retryAfterMs).toBeGreaterThan(3_590_000)
  })

  test('are not looked for while the registry gives what it is asked as anybody', async () => {
    const credentials = fixedCredential(ada)
    const { origin } = await startZooOrigin({ credentials, zoo: { repositories, auth: { type: 'bearer', users } } })
    await origin.resolve(REPOSITORY, '1')
    await origin.resolve(REPOSITORY, '1')
    expect(credentials.asked).toEqual([])
  })

  test('are tried on a 404, for some registries hide what is private', async () => {
    const { zoo, origin } = await startZooOrigin({ credentials: fixedCredential(ada), zoo: { repositories, auth: { type: 'bearer', users } } })
    await origin.resolve(REPOSITORY, '1')
    zoo.behave({ on: { topic: 'blob' }, times: 1, deed: { type: 'answer', status: 404 } })
    expect((await origin.blob(REPOSITORY, digest, 0)).access).toBe('restricted')
  })
})
