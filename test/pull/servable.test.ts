import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Puller } from '../../src/pull/puller.ts'
import { Gate } from '../support/gate.ts'
import { atOrigin, atPeer, makeImage, makeIndex, type TestImage } from './image-kit.ts'
import { makeKit, repository, type Kit } from './kit.ts'

const amd64 = { os: 'linux', architecture: 'amd64' }
const arm64 = { os: 'linux', architecture: 'arm64' }
const image = makeImage('one', [1000, 2000])
let kit: Kit
let puller: Puller

beforeEach(async () => {
  kit = await makeKit()
  puller = kit.puller()
})
afterEach(async () => { await kit.close() })

/** Puts content into the store. */
async function store (image: TestImage, { blobs = true }: { blobs?: boolean } = {}): Promise<void> {
  await kit.store.put(image.digest, image.bytes, { kind: 'manifest', access: 'public', mediaType: image.mediaType })
  if (blobs) for (const [digest, bytes] of image.blobs) await kit.store.put(digest, bytes, { kind: 'blob', access: 'public' })
}

test('an image that is whole in the store is served without asking anybody', async () => {
  await store(image)
  kit.peers.connect('a')
  expect(await puller.manifest(repository, { digest: image.digest })).toMatchObject({ digest: image.digest })
  expect(kit.origin.requests).toEqual([])
  expect(kit.peers.requests).toEqual([])
})

test('an image whose blobs nobody has is a 404 that names what is missing', async () => {
  await store(image, { blobs: false })
  const [missing] = image.blobs.keys()
  await expect(puller.manifest(repository, { digest: image.digest })).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', status: 404, detail: { missing } })
})

test('HEAD of such an image is a 404 as well', async () => {
  await store(image, { blobs: false })
  await expect(puller.statManifest(repository, { digest: image.digest })).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' })
})

test('an image whose blobs a peer has is served without asking the origin', async () => {
  await store(image, { blobs: false })
  atPeer(kit, 'a', image)
  expect(await puller.manifest(repository, { digest: image.digest })).toMatchObject({ digest: image.digest })
  expect(kit.origin.requests).toEqual([])
})

test('one blob that nobody has is enough for a 404, wherever it stands', async () => {
  const [first, , last] = image.blobs.keys()
  await store(image, { blobs: false })
  for (const [digest, bytes] of image.blobs) {
    if (digest === first) await kit.store.put(digest, bytes, { kind: 'blob', access: 'public' })
    else if (digest !== last) kit.peers.add('a', digest, bytes)
  }
  await expect(puller.manifest(repository, { digest: image.digest })).rejects.toMatchObject({ detail: { missing: last } })
})

test('an origin that answers for one blob is there for the rest, for ten seconds', async () => {
  await store(image, { blobs: false })
  atOrigin(kit, image)
  await puller.manifest(repository, { digest: image.digest })
  await puller.manifest(repository, { digest: image.digest })
  expect(kit.origin.requests.map(({ type }) => type)).toEqual(['stat'])
  kit.clock.nowMs += 10_000
  await puller.manifest(repository, { digest: image.digest })
  expect(kit.origin.requests).toHaveLength(2)
})

test('an origin heard in what is now the future is asked again', async () => {
  await store(image, { blobs: false })
  atOrigin(kit, image)
  await puller.manifest(repository, { digest: image.digest })
  kit.clock.nowMs -= 1
  await puller.manifest(repository, { digest: image.digest })
  expect(kit.origin.requests).toHaveLength(2)
})

test('an origin that answered for the tag a moment ago is not asked about blobs', async () => {
  atOrigin(kit, image, 'v1')
  await puller.manifest(repository, { tag: 'v1' })
  expect(kit.origin.requests.map(({ type }) => type)).toEqual(['resolve', 'manifest'])
})

test('of an index one platform that is whole will do, whichever it is', async () => {
  const [there, elsewhere] = [makeImage('there'), makeImage('elsewhere')]
  const index = makeIndex([{ image: elsewhere, platform: arm64 }, { image: there, platform: amd64 }])
  await kit.store.put(index.digest, index.bytes, { kind: 'manifest', access: 'public', mediaType: index.mediaType })
  await store(there)
  kit.origin.down = 'ORIGIN_UNAVAILABLE'
  expect(await puller.manifest(repository, { digest: index.digest })).toMatchObject({ digest: index.digest })
})

test('of an index one platform that a peer has will do, whichever it is', async () => {
  const [there, elsewhere] = [makeImage('there'), makeImage('elsewhere')]
  const index = makeIndex([{ image: elsewhere, platform: arm64 }, { image: there, platform: amd64 }])
  await kit.store.put(index.digest, index.bytes, { kind: 'manifest', access: 'public', mediaType: index.mediaType })
  atPeer(kit, 'a', there)
  kit.origin.down = 'ORIGIN_UNAVAILABLE'
  expect(await puller.manifest(repository, { digest: index.digest })).toMatchObject({ digest: index.digest })
})

test('an index of which no platform can be had is a 404', async () => {
  const index = makeIndex([{ image, platform: arm64 }, { image: makeImage('two'), platform: amd64 }])
  await kit.store.put(index.digest, index.bytes, { kind: 'manifest', access: 'public', mediaType: index.mediaType })
  await store(image, { blobs: false })
  await expect(puller.manifest(repository, { digest: index.digest })).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', detail: { digest: index.digest } })
})

test('callers at one time look once', async () => {
  await store(image, { blobs: false })
  atOrigin(kit, image)
  kit.origin.gate = new Gate()
  const all = Promise.all([1, 2, 3].map(() => puller.manifest(repository, { digest: image.digest })))
  await kit.origin.gate.reached()
  kit.origin.gate.open()
  await all
  expect(kit.origin.requests).toHaveLength(1)
})
