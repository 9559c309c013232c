import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { MAX_MANIFEST_BYTES } from '../../src/oci/manifest.ts'
import { MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { Manifests } from '../../src/pull/manifests.ts'
import { StoreFullError } from '../../src/store/store-errors.ts'
import { Gate } from '../support/gate.ts'
import { overriding } from '../support/overriding.ts'
import { atOrigin, makeImage } from './image-kit.ts'
import { banned, bytesOf, makeKit, NEVER_MS, repository, type Kit } from './kit.ts'

const image = makeImage('one')
const asManifest = { kind: 'manifest' } as const
let kit: Kit
let manifests: Manifests

beforeEach(async () => {
  kit = await makeKit()
  manifests = new Manifests(kit, { graceMs: NEVER_MS, searchMs: NEVER_MS, busyPauseMs: 1 })
})
afterEach(async () => { await kit.close() })

test('a manifest comes from a peer, and then from the store', async () => {
  atOrigin(kit, image)
  kit.peers.add('a', image.digest, image.bytes, asManifest)
  expect(await manifests.get(repository, image.digest)).toMatchObject({ digest: image.digest, mediaType: image.mediaType, from: 'peer' })
  kit.peers.disconnect('a')
  const { bytes } = await manifests.get(repository, image.digest)
  expect(Buffer.compare(bytes, image.bytes)).toBe(0)
  expect(kit.origin.requests).toEqual([])
  expect(await kit.store.stat(image.digest)).toMatchObject({ kind: 'manifest', access: 'public', mediaType: image.mediaType })
})

test('a manifest comes from the origin where no peer has it, and tells so', async () => {
  atOrigin(kit, image)
  kit.origin.access = 'restricted'
  expect(await manifests.get(repository, image.digest)).toMatchObject({ from: 'origin' })
  expect(await kit.store.stat(image.digest)).toMatchObject({ access: 'restricted' })
})

test('what the origin sends of manifests counts against the limit', async () => {
  atOrigin(kit, image)
  const counted: number[] = []
  const limited = new Manifests({ ...kit, budget: { count: bytes => { counted.push(bytes) } } }, { graceMs: 1, searchMs: 1 })
  await limited.get(repository, image.digest)
  await limited.get(repository, image.digest)
  expect(counted).toEqual([image.bytes.length])
})

test('a peer\'s restricted manifest stays restricted', async () => {
  kit.peers.add('a', image.digest, image.bytes, { ...asManifest, restricted: true })
  await manifests.get(repository, image.digest)
  expect(await kit.store.stat(image.digest)).toMatchObject({ access: 'restricted' })
})

test('what is below it is linked to the repository and described', async () => {
  atOrigin(kit, image)
  await manifests.get(repository, image.digest)
  const linked = await kit.store.links.linked('registry.test/team/app')
  expect(new Set(linked)).toEqual(new Set([image.digest, ...image.blobs.keys()]))
  for (const [digest, { length }] of image.blobs) expect(await kit.store.links.descriptor('registry.test/team/app', digest)).toMatchObject({ size: length, kind: 'blob' })
})

test('a manifest in the store is linked to another repository that asks for it', async () => {
  atOrigin(kit, image)
  await manifests.get(repository, image.digest)
  await manifests.get({ registry: 'mirror.test', name: 'x' }, image.digest)
  expect(await kit.store.links.isLinked('mirror.test/x', image.digest)).toBe(true)
})

describe('a peer that lies', () => {
  test.each([
    ['flips a byte', { ...asManifest, flipAt: 3 }],
    ['sends less', { ...asManifest, size: 5 }],
    ['claims more than 4 MiB', { ...asManifest, size: MAX_MANIFEST_BYTES + 1 }],
    ['sends more than 4 MiB', { ...asManifest, readSize: MAX_MANIFEST_BYTES + 1, chunkBytes: 1 << 20 }]
  ])('%s: is banned, and the origin is asked', async (_, behaviour) => {
    atOrigin(kit, image)
    kit.peers.add('liar', image.digest, image.bytes, behaviour)
    expect(await manifests.get(repository, image.digest)).toMatchObject({ from: 'origin' })
    expect(banned(kit)).toEqual(['liar'])
  })
})

test('a manifest of exactly 4 MiB is taken', async () => {
  const padding = MAX_MANIFEST_BYTES - makeImage('big', [10], { annotations: { padding: '' } }).bytes.length
  const big = makeImage('big', [10], { annotations: { padding: 'x'.repeat(padding) } })
  expect(big.bytes).toHaveLength(MAX_MANIFEST_BYTES)
  kit.peers.add('a', big.digest, big.bytes, { ...asManifest, chunkBytes: 1 << 20 })
  expect((await manifests.get(repository, big.digest)).bytes).toHaveLength(MAX_MANIFEST_BYTES)
})

test('peers that die, deny or are busy are passed over or asked again', async () => {
  kit.peers.add('dies', image.digest, image.bytes, { ...asManifest, alwaysDiesAt: 10 })
  kit.peers.add('denies', image.digest, image.bytes, { ...asManifest, fails: 'PEER_DENIED' })
  kit.peers.add('busy', image.digest, image.bytes, { ...asManifest, busyReads: 2 })
  expect(await manifests.get(repository, image.digest)).toMatchObject({ digest: image.digest })
  expect(banned(kit)).toEqual([])
  expect(kit.score.isResting('dies', kit.now())).toBe(true)
  expect(kit.score.isResting('denies', kit.now())).toBe(false)
})

test('what nobody knows is unknown; what cannot be asked for is not', async () => {
  await expect(manifests.get(repository, image.digest)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE', isUnknown: true })
  kit.origin.down = 'ORIGIN_TIMEOUT'
  await expect(manifests.get(repository, image.digest)).rejects.toMatchObject({ code: 'CONTENT_UNAVAILABLE', isUnknown: false })
})

test('right bytes that are no manifest are nobody\'s fault, and are asked for once', async () => {
  const bytes = bytesOf(100)
  const digest = kit.origin.addManifest(repository, bytes, MEDIA_TYPES.ociManifest)
  kit.peers.add('a', digest, bytes, asManifest)
  await expect(manifests.get(repository, digest)).rejects.toMatchObject({ code: 'MANIFEST_INVALID' })
  expect(kit.origin.requests).toEqual([])
  expect(kit.score.isResting('a', kit.now())).toBe(false)
})

test('a store that is full ends it with the store\'s error', async () => {
  atOrigin(kit, image)
  kit.peers.add('a', image.digest, image.bytes, asManifest)
  const full = new Manifests({ ...kit, store: overriding(kit.store, { put: async () => { throw new StoreFullError('blobs') } }) })
  await expect(full.get(repository, image.digest)).rejects.toMatchObject({ code: 'STORE_FULL' })
  expect(kit.origin.requests).toEqual([])
  expect(kit.log.at(-1)).toMatchObject({ type: 'fetch:failed', code: 'STORE_FULL' })
})

test('callers at one time ask once, and the last that leaves ends the asking', async () => {
  atOrigin(kit, image)
  kit.origin.gate = new Gate()
  const left = new AbortController()
  const leaving = [manifests.get(repository, image.digest, { signal: left.signal }), manifests.get(repository, image.digest, { signal: left.signal })]
  await kit.origin.gate.reached()
  left.abort(new Error('gone'))
  for (const caller of leaving) await expect(caller).rejects.toThrow('gone')
  await new Promise(setImmediate)
  expect(kit.origin.requests).toHaveLength(1)
  expect(kit.log.at(-1)).toMatchObject({ type: 'fetch:abandoned', digest: image.digest })
})

test('a blob in the store that is a manifest is served as one from then on', async () => {
  await kit.store.put(image.digest, image.bytes, { kind: 'blob', access: 'seeded' })
  expect(await manifests.get(repository, image.digest)).toMatchObject({ mediaType: image.mediaType })
  expect(await kit.store.stat(image.digest)).toMatchObject({ kind: 'manifest', access: 'seeded' })
})

test('a blob in the store that is no manifest is not', async () => {
  const bytes = bytesOf(100)
  const { digest } = await kit.store.put(kit.origin.addBlob(repository, bytes), bytes, { kind: 'blob', access: 'public' })
  expect(await manifests.stored(digest)).toBeUndefined()
  await expect(manifests.get(repository, digest)).rejects.toMatchObject({ isUnknown: true })
})

test('callers of two repositories share one read of the same manifest', async () => {
  atOrigin(kit, image)
  const other = { registry: 'mirror.test', name: 'x' }
  const [ours, theirs] = await Promise.all([manifests.get(repository, image.digest), manifests.get(other, image.digest)])
  expect([ours.from, theirs.from]).toEqual(['origin', 'store'])
  expect(kit.origin.requests).toHaveLength(1)
})

test('who joined a read for another repository asks its own origin when that had nothing', async () => {
  atOrigin(kit, image)
  const unknown = { registry: 'mirror.test', name: 'x' }
  const [first, second] = await Promise.allSettled([manifests.get(unknown, image.digest), manifests.get(repository, image.digest)])
  expect(first).toMatchObject({ status: 'rejected', reason: { code: 'CONTENT_UNAVAILABLE' } })
  expect(second).toMatchObject({ status: 'fulfilled', value: { from: 'origin' } })
})
