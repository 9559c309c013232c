import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseReference } from '../../src/oci/reference.ts'
import { pullImage, type ImagePullEvent, type ImagePullInit } from '../../src/pull/images.ts'
import { Gate } from '../support/gate.ts'
import { atOrigin, atPeer, makeImage, makeIndex, type TestImage } from './image-kit.ts'
import { makeKit, repository, settled, type Kit } from './kit.ts'

const amd64 = { os: 'linux', architecture: 'amd64' }
const armV7 = { os: 'linux', architecture: 'arm', variant: 'v7' }
const image = makeImage('one', [100_000, 200_000])
const index = makeIndex([
  { image, platform: amd64 },
  { image: makeImage('arm'), platform: armV7 },
  { image: makeImage('attestation'), platform: { os: 'unknown', architecture: 'unknown' } }
])
let kit: Kit
let seen: ImagePullEvent[]

beforeEach(async () => {
  kit = await makeKit()
  seen = []
})
afterEach(async () => { await kit.close() })

async function pull (text: string, init: Partial<ImagePullInit> = {}, signal?: AbortSignal): Promise<void> {
  const reference = parseReference(text)
  await pullImage({ puller: kit.puller(), events: kit.events, now: kit.now }, { reference, repository, onEvent: event => { seen.push(event) }, ...init }, { signal })
}

function bytesOf ({ blobs }: TestImage): number {
  return [...blobs.values()].reduce((sum, { length }) => sum + length, 0)
}

test('an image comes whole, and is counted by source', async () => {
  atOrigin(kit, image, 'v1')
  await pull('registry.test/team/app:v1')
  expect(seen[0]).toMatchObject({ type: 'manifest', reference: 'registry.test/team/app:v1', digest: image.digest, stale: false })
  expect(seen.filter(({ type }) => type === 'layer').map(({ digest }) => digest)).toEqual([...image.blobs.keys()])
  expect(seen.at(-1)).toEqual({ type: 'done', digest: image.digest, size: bytesOf(image), fromPeers: 0, fromOrigin: bytesOf(image), fromStore: 0, durationMs: 0 })
  for (const digest of image.blobs.keys()) expect(await kit.store.stat(digest)).toBeDefined()
})

test('an image that peers have is counted as theirs, and one that is here as the store\'s', async () => {
  atOrigin(kit, image, 'v1')
  atPeer(kit, 'a', image)
  await pull('registry.test/team/app:v1')
  expect(seen.at(-1)).toMatchObject({ fromPeers: bytesOf(image), fromOrigin: 0, fromStore: 0 })
  await pull('registry.test/team/app:v1')
  expect(seen.at(-1)).toMatchObject({ fromPeers: 0, fromOrigin: 0, fromStore: bytesOf(image) })
})

test('progress never goes beyond a blob\'s size', async () => {
  atOrigin(kit, image, 'v1')
  const [, layer = image.digest] = image.blobs.keys()
  kit.peers.add('liar', layer, image.blobs.get(layer) ?? new Uint8Array(), { flipAt: 0 })
  await pull('registry.test/team/app:v1')
  for (const event of seen) if (event.type === 'progress') expect(event.received).toBeLessThanOrEqual(event.size)
  expect(seen.at(-1)).toMatchObject({ type: 'done', fromStore: 0 })
})

test('of an index the platform wanted is pulled and no other', async () => {
  atOrigin(kit, index, 'v1')
  await pull('registry.test/team/app:v1', { platform: amd64 })
  expect(seen.flatMap(event => event.type === 'manifest' ? [event.digest] : [])).toEqual([index.digest, image.digest])
  expect(seen.at(-1)).toMatchObject({ digest: index.digest, size: bytesOf(image) })
})

test('a platform without a variant fits any', async () => {
  atOrigin(kit, index, 'v1')
  await pull('registry.test/team/app:v1', { platform: { os: 'linux', architecture: 'arm' } })
  expect(seen.filter(({ type }) => type === 'manifest')).toHaveLength(2)
})

test('of an index without a platform wanted all is pulled', async () => {
  atOrigin(kit, index, 'v1')
  await pull('registry.test/team/app:v1')
  expect(seen.at(-1)).toMatchObject({ size: index.images.reduce((sum, image) => sum + bytesOf(image), 0) })
})

test('a platform that is not there is a 404 that names those that are', async () => {
  atOrigin(kit, index, 'v1')
  const pulling = pull('registry.test/team/app:v1', { platform: { os: 'windows', architecture: 'amd64' } })
  await expect(pulling).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', message: 'the image has no windows/amd64; it has linux/amd64, linux/arm/v7' })
})

test('a digest decides, whatever tag stands beside it', async () => {
  atOrigin(kit, image)
  await pull(`registry.test/team/app:nonsense@${image.digest}`)
  expect(seen.at(-1)).toMatchObject({ type: 'done', digest: image.digest })
})

test('at most four blobs come at once', async () => {
  const gate = new Gate()
  const many = makeImage('many', [1, 2, 3, 4, 5, 6, 7])
  atOrigin(kit, many, 'v1')
  for (const bytes of many.blobs.values()) kit.origin.addBlob(repository, bytes, { gate })
  const pulling = pull('registry.test/team/app:v1')
  await gate.reached()
  await new Promise(setImmediate)
  expect(kit.origin.requests.filter(({ type }) => type === 'blob')).toHaveLength(4)
  gate.open()
  await pulling
})

test('the first failure stops all', async () => {
  const gate = new Gate()
  const many = makeImage('many', [1, 2, 3])
  atOrigin(kit, many, 'v1')
  const [missing, ...others] = many.blobs.values()
  for (const bytes of others) kit.origin.addBlob(repository, bytes, { gate })
  kit.origin.addBlob(repository, missing ?? new Uint8Array(), { fails: 'ORIGIN_NOT_FOUND' })
  const puller = kit.puller()
  const reference = parseReference('registry.test/team/app:v1')
  await expect(pullImage({ puller, events: kit.events, now: kit.now }, { reference, repository, onEvent: () => {} })).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE' })
  await settled(puller)
  expect(kit.log.filter(({ type }) => type === 'fetch:abandoned')).toHaveLength(others.length)
})

test('a caller that leaves stops all', async () => {
  const gate = new Gate()
  atOrigin(kit, image, 'v1')
  for (const bytes of image.blobs.values()) kit.origin.addBlob(repository, bytes, { gate })
  const left = new AbortController()
  const pulling = pull('registry.test/team/app:v1', {}, left.signal)
  await gate.reached()
  left.abort(new Error('gone'))
  await expect(pulling).rejects.toThrow('gone')
})
