import { describe, expect, test } from 'vitest'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { MAX_MANIFEST_BYTES } from '../../src/oci/manifest.ts'
import { MANIFEST_ACCEPT, MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { failureOf, image, REPOSITORY, startZooOrigin } from './zoo-origin.ts'

const { index } = image
const amd64 = image.manifests[0] as typeof index

describe('resolving a tag', () => {
  test('takes digest, type and size from a HEAD with the whole Accept list', async () => {
    const { zoo, origin } = await startZooOrigin()
    expect(await origin.resolve(REPOSITORY, '1')).toEqual({ digest: index.digest, mediaType: index.mediaType, size: index.bytes.length, access: 'public' })
    expect(zoo.requests.map(({ method, url }) => `${method} ${url}`)).toEqual(['HEAD /v2/team/app/manifests/1'])
    expect(zoo.requests[0]?.headers).toMatchObject({ accept: MANIFEST_ACCEPT, 'accept-encoding': 'identity', 'user-agent': 'shoal' })
    expect(zoo.requests[0]?.headers).not.toHaveProperty('authorization')
  })

  test.each([
    ['no Docker-Content-Digest', { type: 'headers', headers: { 'Docker-Content-Digest': undefined } }],
    ['a digest that is none', { type: 'headers', headers: { 'Docker-Content-Digest': 'sha256:12' } }],
    ['no Content-Type', { type: 'headers', headers: { 'Content-Type': undefined } }],
    ['a Content-Type that says nothing', { type: 'headers', headers: { 'Content-Type': 'text/plain; charset=utf-8' } }],
    ['405', { type: 'answer', status: 405 }],
    ['501', { type: 'answer', status: 501 }],
    ['a 404 that is not in a registry\'s words', { type: 'answer', status: 404 }]
  ] as const)('asks by GET when HEAD is answered with %s', async (_, deed) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ on: { method: 'HEAD' }, deed })
    expect(await origin.resolve(REPOSITORY, '1')).toEqual({ digest: index.digest, mediaType: index.mediaType, size: index.bytes.length, access: 'public' })
    expect(zoo.requests.map(({ method }) => method)).toEqual(['HEAD', 'GET'])
  })

  test('is ORIGIN_NOT_FOUND for an unknown tag, after one HEAD', async () => {
    const { zoo, origin } = await startZooOrigin()
    expect(await failureOf(origin.resolve(REPOSITORY, 'none'))).toMatchObject({ code: 'ORIGIN_NOT_FOUND', retryable: false, registry: 'zoo.test', status: 404 })
    expect(zoo.requests).toHaveLength(1)
  })

  test('is ORIGIN_INVALID for schema 1', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'headers', headers: { 'Content-Type': MEDIA_TYPES.dockerSchema1Signed } } })
    expect(await failureOf(origin.resolve(REPOSITORY, '1'))).toMatchObject({ code: 'ORIGIN_INVALID', blamesPeer: true })
  })

  test.each(['..', 'a/b', 'a?b', '-x', ''])('is ORIGIN_NOT_FOUND for %j, which is no tag, without asking', async tag => {
    const { zoo, origin } = await startZooOrigin()
    expect((await failureOf(origin.resolve(REPOSITORY, tag))).code).toBe('ORIGIN_NOT_FOUND')
    expect(zoo.requests).toHaveLength(0)
  })

  test.each(['team/../admin', 'Team/app', 'team//app', 'team/app?x', '', '../x'])('is ORIGIN_NOT_FOUND for the repository %j, without asking', async name => {
    const { zoo, origin } = await startZooOrigin()
    expect((await failureOf(origin.resolve({ ...REPOSITORY, name }, '1'))).code).toBe('ORIGIN_NOT_FOUND')
    expect(zoo.requests).toHaveLength(0)
  })
})

describe('a manifest', () => {
  test.each([['tag', '1', index], ['digest', amd64.digest, amd64]])('comes by %s with its exact bytes', async (_, reference, expected) => {
    const { zoo, origin } = await startZooOrigin()
    const manifest = await origin.manifest(REPOSITORY, reference)
    expect(manifest).toMatchObject({ digest: expected.digest, mediaType: expected.mediaType, size: expected.bytes.length, access: 'public' })
    expect(Buffer.from(manifest.bytes)).toEqual(expected.bytes)
    expect(zoo.requests[0]?.headers.accept).toBe(MANIFEST_ACCEPT)
  })

  test('is refused when its bytes are not those of the digest asked for', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'flip', atByte: 20 } })
    const error = await failureOf(origin.manifest(REPOSITORY, amd64.digest))
    expect(error.code).toBe('ORIGIN_INVALID')
    expect(error.message).toContain(amd64.digest.slice(7, 19))
  })

  test('is refused when a tag\'s bytes are not those of the digest the registry claims', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'headers', headers: { 'Docker-Content-Digest': amd64.digest } } })
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).code).toBe('ORIGIN_INVALID')
  })

  test('may have a sha512 digest while the registry claims a sha256 one', async () => {
    const { zoo, origin } = await startZooOrigin()
    const digest = digestOf(amd64.bytes, 'sha512')
    zoo.behave({ deed: { type: 'answer', status: 200, headers: { 'Content-Type': amd64.mediaType, 'Docker-Content-Digest': amd64.digest }, body: amd64.bytes } })
    expect((await origin.manifest(REPOSITORY, digest)).digest).toBe(digest)
  })

  test.each([
    ['with both manifests and layers', { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [], layers: [] }, MEDIA_TYPES.ociIndex],
    ['of schema 1 by its content', { schemaVersion: 1, fsLayers: [] }, 'application/json'],
    ['that is none', { hello: 'world' }, MEDIA_TYPES.ociManifest],
    ['whose type the registry contradicts', JSON.parse(amd64.bytes.toString()) as object, MEDIA_TYPES.ociIndex]
  ])('%s is refused, with the reason as cause', async (_, document, mediaType) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 200, headers: { 'Content-Type': mediaType }, body: JSON.stringify(document) } })
    const error = await failureOf(origin.manifest(REPOSITORY, '1'))
    expect(error.code).toBe('ORIGIN_INVALID')
    expect(error.cause).toMatchObject({ code: 'MANIFEST_INVALID' })
  })

  test.each([
    ['whatever Content-Length says', { 'Content-Length': String(MAX_MANIFEST_BYTES + 1) }],
    ['without Content-Length', { 'Content-Length': undefined, 'Transfer-Encoding': 'chunked' }]
  ])('of more than 4 MiB is dropped where it gets too long, %s', async (_, headers) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 200, headers: { 'Content-Type': MEDIA_TYPES.ociManifest, ...headers }, body: Buffer.alloc(MAX_MANIFEST_BYTES + 1, ' ') } })
    const error = await failureOf(origin.manifest(REPOSITORY, '1'))
    expect(error).toMatchObject({ code: 'ORIGIN_INVALID' })
    expect(error.message).toContain(`${MAX_MANIFEST_BYTES}`)
  })

  test('that was cut is asked for again', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 2, deed: { type: 'cut', afterBytes: 10 } })
    expect((await origin.manifest(REPOSITORY, '1')).digest).toBe(index.digest)
    expect(zoo.requests).toHaveLength(3)
  })

  test('says in its error what the registry said, on one line', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 404, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ errors: [{ code: 'NAME_UNKNOWN', message: 'no\nsuch \u001b[31mthing' }] }) } })
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).message).toBe('zoo.test: GET team/app manifests/1: status 404 (NAME_UNKNOWN: no such  [31mthing)')
  })

  test('is not even asked for with a signal that has ended; the signal\'s reason is thrown', async () => {
    const { zoo, origin } = await startZooOrigin()
    const reason = new Error('changed my mind')
    await expect(origin.manifest(REPOSITORY, '1', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(zoo.requests).toHaveLength(0)
  })

  test('ends with the caller\'s signal, and its connection with it', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'hang' } })
    const controller = new AbortController()
    const asked = origin.manifest(REPOSITORY, '1', { signal: controller.signal })
    await expect.poll(() => zoo.requests.length).toBe(1)
    const reason = new Error('changed my mind')
    controller.abort(reason)
    await expect(asked).rejects.toBe(reason)
  })
})

test('a digest that the registry does not know is ORIGIN_NOT_FOUND', async () => {
  const { origin } = await startZooOrigin()
  expect((await failureOf(origin.manifest(REPOSITORY, `sha256:${'0'.repeat(64)}` as Digest))).code).toBe('ORIGIN_NOT_FOUND')
})
