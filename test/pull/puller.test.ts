import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MEDIA_TYPES } from '../../src/oci/media-types.ts'
import type { Puller } from '../../src/pull/puller.ts'
import { atOrigin, atPeer, makeImage } from './image-kit.ts'
import { makeKit, pullBlob, repository, type Kit } from './kit.ts'

const image = makeImage('one')
const [config = image.digest] = image.blobs.keys()
const encoder = new TextEncoder()
let kit: Kit
let puller: Puller

beforeEach(async () => {
  kit = await makeKit()
  puller = kit.puller({ tagTtlMs: 100 })
})
afterEach(async () => { await kit.close() })

describe('a manifest', () => {
  test('by tag costs the origin one HEAD where a peer has the rest', async () => {
    atOrigin(kit, image, 'v1')
    atPeer(kit, 'a', image)
    const { digest, stale } = await puller.manifest(repository, { tag: 'v1' })
    for (const blob of image.blobs.keys()) await pullBlob(puller, blob)
    expect({ digest, stale }).toEqual({ digest: image.digest, stale: undefined })
    expect(kit.origin.requests).toEqual([{ type: 'resolve', repository: 'registry.test/team/app', reference: 'v1' }])
  })

  test('by a tag resolved before is served without the origin, and says that it is stale', async () => {
    atOrigin(kit, image, 'v1')
    await puller.manifest(repository, { tag: 'v1' })
    for (const blob of image.blobs.keys()) await pullBlob(puller, blob)
    const sinceMs = kit.now()
    kit.clock.nowMs += 20_000
    kit.origin.down = 'ORIGIN_UNAVAILABLE'
    const stale = { sinceMs, reason: 'registry.test: the test says ORIGIN_UNAVAILABLE' }
    expect(await puller.manifest(repository, { tag: 'v1' })).toMatchObject({ digest: image.digest, stale })
    expect(await puller.statManifest(repository, { tag: 'v1' })).toMatchObject({ digest: image.digest, stale })
  })

  test('by HEAD of a tag is described by the origin, and nothing is downloaded', async () => {
    atOrigin(kit, image, 'v1')
    expect(await puller.statManifest(repository, { tag: 'v1' })).toEqual({ digest: image.digest, mediaType: image.mediaType, size: image.bytes.length })
    expect(kit.origin.requests.map(({ type }) => type)).toEqual(['resolve'])
  })

  test('by HEAD of a digest that an index describes and a peer has downloads nothing', async () => {
    await kit.store.links.describe('registry.test/team/app', [{ digest: image.digest, size: image.bytes.length, mediaType: image.mediaType, kind: 'manifest' }])
    atPeer(kit, 'a', image)
    expect(await puller.statManifest(repository, { digest: image.digest })).toMatchObject({ size: image.bytes.length })
    expect(kit.peers.asked('read')).toEqual([])
  })

  test('by HEAD of another digest is fetched', async () => {
    atOrigin(kit, image)
    expect(await puller.statManifest(repository, { digest: image.digest })).toMatchObject({ mediaType: image.mediaType })
    expect(await kit.store.stat(image.digest)).toBeDefined()
  })

  test('is never given out as a blob', async () => {
    atOrigin(kit, image)
    await puller.manifest(repository, { digest: image.digest })
    await expect(puller.blobs.open(repository, image.digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' })
    await expect(puller.blobs.stat(repository, image.digest)).rejects.toMatchObject({ code: 'BLOB_UNKNOWN' })
  })
})

describe('the tags of a repository', () => {
  test('are the origin\'s', async () => {
    atOrigin(kit, image, 'v1')
    expect(await puller.tags(repository)).toEqual({ tags: ['v1'] })
  })

  test('are those known here when it cannot be asked', async () => {
    atOrigin(kit, image, 'v1')
    await puller.manifest(repository, { tag: 'v1' })
    kit.origin.down = 'ORIGIN_TIMEOUT'
    expect(await puller.tags(repository)).toMatchObject({ tags: ['v1'], stale: {} })
  })

  test.each(['ORIGIN_NOT_FOUND', 'ORIGIN_DENIED'] as const)('are unknown when it answers %s', async code => {
    atOrigin(kit, image, 'v1')
    await puller.manifest(repository, { tag: 'v1' })
    kit.origin.down = code
    await expect(puller.tags(repository)).rejects.toMatchObject({ code: 'NAME_UNKNOWN', detail: { reason: code } })
  })
})

describe('referrers', () => {
  const signature = makeImage('signature', [10], { subject: { mediaType: image.mediaType, digest: image.digest, size: image.bytes.length }, artifactType: 'application/signature' })
  const index = encoder.encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [{ mediaType: signature.mediaType, digest: signature.digest, size: signature.bytes.length, artifactType: 'application/signature' }]
  }))

  async function digestsOf (artifactType?: string): Promise<{ digests: string[], isStale: boolean, filtered: boolean }> {
    const { bytes, isStale, filtered } = await puller.referrers(repository, image.digest, artifactType)
    const { manifests } = JSON.parse(new TextDecoder().decode(bytes)) as { manifests: Array<{ digest: string }> }
    return { digests: manifests.map(({ digest }) => digest), isStale, filtered }
  }

  test('are the origin\'s own list', async () => {
    kit.origin.setReferrers(repository, image.digest, index)
    expect(await digestsOf()).toEqual({ digests: [signature.digest], isStale: false, filtered: false })
    expect(await digestsOf('application/other')).toEqual({ digests: [], isStale: false, filtered: true })
  })

  test('are those of the fallback tag where it has no such endpoint', async () => {
    kit.origin.addManifest(repository, index, MEDIA_TYPES.ociIndex, image.digest.replace(':', '-'))
    expect(await digestsOf()).toMatchObject({ digests: [signature.digest], isStale: false })
  })

  test('are none where it knows of none', async () => {
    expect(await digestsOf()).toMatchObject({ digests: [], isStale: false })
  })

  test('are those in the store where it cannot be asked', async () => {
    atOrigin(kit, image)
    atOrigin(kit, signature)
    for (const { digest } of [image, signature]) await puller.manifest(repository, { digest })
    kit.origin.down = 'ORIGIN_UNAVAILABLE'
    expect(await digestsOf('application/signature')).toMatchObject({ digests: [signature.digest], isStale: true })
  })

  test('end with the caller', async () => {
    kit.origin.down = 'ORIGIN_UNAVAILABLE'
    await expect(puller.referrers(repository, config, undefined, { signal: AbortSignal.abort(new Error('gone')) })).rejects.toThrow('gone')
  })
})
