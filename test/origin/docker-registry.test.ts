import { describe, expect, test, beforeAll, afterAll } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { noCredentials } from '../../src/origin/credentials.ts'
import { pushImage, startDockerRegistry, type DockerRegistry } from '../support/docker-registry.ts'
import { requireCommands } from '../support/requires.ts'
import { failureOf, image, layer, makeOrigin, readAll, REPOSITORY } from './zoo-origin.ts'

const [digest, bytes] = layer
const auth = { username: 'ada', password: 'password' }

describe.skipIf(requireCommands('docker-registry') !== undefined)('docker-registry 2.8', () => {
  let registry: DockerRegistry

  beforeAll(async () => {
    registry = await startDockerRegistry()
    await pushImage(registry.url, REPOSITORY.name, image, { tag: '1' })
    await pushImage(registry.url, REPOSITORY.name, image, { tag: '0' })
  })
  afterAll(() => registry.stop())

  const originOf = (url: string) => makeOrigin({ credentials: noCredentials }, { [REPOSITORY.registry]: { url } })

  test('gives tags, manifests and every blob of an image', async () => {
    const origin = originOf(registry.url)
    expect(await origin.tags(REPOSITORY)).toEqual(['0', '1'])
    expect(await origin.resolve(REPOSITORY, '1')).toMatchObject({ digest: image.index.digest, mediaType: image.index.mediaType, size: image.index.bytes.length })
    for (const manifest of image.manifests) expect(Buffer.from((await origin.manifest(REPOSITORY, manifest.digest)).bytes)).toEqual(manifest.bytes)
    for (const [blob, content] of image.blobs) {
      expect(await origin.statBlob(REPOSITORY, blob)).toEqual({ size: content.length, access: 'public' })
      expect(await readAll((await origin.blob(REPOSITORY, blob, 0)).body)).toEqual(content)
    }
  })

  test('gives a blob from the middle, from its end (416 with a wrong Content-Length), and lives on', async () => {
    const origin = originOf(registry.url)
    expect(await readAll((await origin.blob(REPOSITORY, digest, 777)).body)).toEqual(bytes.subarray(777))
    const end = await origin.blob(REPOSITORY, digest, bytes.length)
    expect(end).toMatchObject({ size: bytes.length, start: bytes.length })
    expect(await readAll(end.body)).toHaveLength(0)
    expect((await failureOf(origin.blob(REPOSITORY, digest, bytes.length + 1))).code).toBe('ORIGIN_INVALID')
    expect((await origin.resolve(REPOSITORY, '1')).digest).toBe(image.index.digest)
  })

  test('gives a blob in parts, the last of them short', async () => {
    const origin = originOf(registry.url)
    const length = Math.ceil(bytes.length / 7) + 1
    const parts: Buffer[] = []
    for (let start = 0; start < bytes.length; start += length) parts.push(await readAll((await origin.blob(REPOSITORY, digest, start, { end: start + length })).body))
    expect(parts).toHaveLength(7)
    expect(digestOf(Buffer.concat(parts))).toBe(digest)
    expect((await registry.requests()).slice(-7).map(({ status, bytes: sent }) => [status, sent])).toEqual(parts.map(part => [206, part.length]))
  })

  test('knows nothing of what it has not, nor of referrers', async () => {
    const origin = originOf(registry.url)
    const unknown = digestOf(Buffer.from('unknown'))
    const failures = await Promise.all([
      origin.resolve(REPOSITORY, 'none'), origin.manifest(REPOSITORY, unknown), origin.blob(REPOSITORY, unknown, 0), origin.blob(REPOSITORY, image.index.digest, 1),
      origin.statBlob(REPOSITORY, unknown), origin.tags({ ...REPOSITORY, name: 'team/none' }), origin.referrers(REPOSITORY, image.index.digest)
    ].map(failureOf))
    expect(failures.map(({ code }) => code)).toEqual(Array(failures.length).fill('ORIGIN_NOT_FOUND'))
  })

  test('is asked for a tag by HEAD alone', async () => {
    const origin = originOf(registry.url)
    const before = (await registry.requests()).length
    await origin.resolve(REPOSITORY, '1')
    expect((await registry.requests()).slice(before)).toEqual([expect.objectContaining({ method: 'HEAD', path: '/v2/team/app/manifests/1', status: 200, bytes: 0, userAgent: 'shoal' })])
  })

  test('as a pull-through cache ignores Range on a cold blob, and is read all the same', async () => {
    const cache = await startDockerRegistry({ proxyOf: registry.url })
    try {
      const origin = originOf(cache.url)
      const cold = await origin.blob(REPOSITORY, digest, 1000)
      expect(digestOf(Buffer.concat([bytes.subarray(0, cold.start), await readAll(cold.body)]))).toBe(digest)
      expect((await origin.manifest(REPOSITORY, '1')).digest).toBe(image.index.digest)
    } finally {
      await cache.stop()
    }
  })

  test('with a password gives nothing without it, and restricted content with it', async () => {
    const guarded = await startDockerRegistry({ auth, dir: registry.dir })
    try {
      expect((await failureOf(originOf(guarded.url).resolve(REPOSITORY, '1'))).code).toBe('ORIGIN_DENIED')
      const origin = makeOrigin({ credentials: noCredentials }, { [REPOSITORY.registry]: { url: guarded.url, ...auth } })
      const blob = await origin.blob(REPOSITORY, digest, 0)
      expect(blob.access).toBe('restricted')
      expect(await readAll(blob.body)).toEqual(bytes)
    } finally {
      await guarded.stop()
    }
  })
})
