import { afterEach, beforeEach, expect, test } from 'vitest'
import { Tags } from '../../src/pull/tags.ts'
import { StoreFullError } from '../../src/store/store-errors.ts'
import { Gate } from '../support/gate.ts'
import { overriding } from '../support/overriding.ts'
import { makeImage } from './image-kit.ts'
import { makeKit, repository, type Kit } from './kit.ts'

const key = 'registry.test/team/app'
const [one, two] = [makeImage('one'), makeImage('two')]
let kit: Kit
let tags: Tags

beforeEach(async () => {
  kit = await makeKit()
  kit.origin.addManifest(repository, one.bytes, one.mediaType, 'v1')
  tags = new Tags(kit, { ttlMs: 100 })
})
afterEach(async () => { await kit.close() })

test('a tag is the origin\'s word', async () => {
  expect(await tags.resolve(repository, 'v1')).toEqual({ digest: one.digest, mediaType: one.mediaType, size: one.bytes.length, resolvedAt: kit.now(), isStale: false })
  expect(kit.log).toContainEqual({ type: 'tag:resolved', repository: key, tag: 'v1', digest: one.digest, stale: false })
})

test('it is remembered for a while, then asked again', async () => {
  await tags.resolve(repository, 'v1')
  kit.origin.addManifest(repository, two.bytes, two.mediaType, 'v1')
  kit.clock.nowMs += 99
  expect(await tags.resolve(repository, 'v1')).toMatchObject({ digest: one.digest, isStale: false })
  kit.clock.nowMs += 1
  expect(await tags.resolve(repository, 'v1')).toMatchObject({ digest: two.digest, isStale: false })
  expect(kit.origin.requests).toHaveLength(2)
})

test('it does not stay fresh when the clock is set back', async () => {
  await tags.resolve(repository, 'v1')
  kit.clock.nowMs -= 1000
  await tags.resolve(repository, 'v1')
  expect(kit.origin.requests).toHaveLength(2)
})

test.each(['ORIGIN_UNAVAILABLE', 'ORIGIN_TIMEOUT', 'ORIGIN_RATE_LIMITED', 'ORIGIN_INVALID'] as const)('where the origin answers %s what it said before is stale', async code => {
  const { resolvedAt } = await tags.resolve(repository, 'v1')
  kit.clock.nowMs += 100
  kit.origin.down = code
  expect(await tags.resolve(repository, 'v1')).toMatchObject({ digest: one.digest, isStale: true, resolvedAt, reason: `registry.test: the test says ${code}` })
  kit.origin.down = undefined
  expect(await tags.resolve(repository, 'v1')).toMatchObject({ isStale: false })
})

test.each(['ORIGIN_DENIED', 'ORIGIN_FORBIDDEN', 'ORIGIN_NOT_FOUND'] as const)('where the origin answers %s what it said before does not count', async code => {
  await tags.resolve(repository, 'v1')
  kit.clock.nowMs += 100
  kit.origin.down = code
  await expect(tags.resolve(repository, 'v1')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', detail: { reason: code } })
  expect(await kit.store.links.tag(key, 'v1')).toEqual(code === 'ORIGIN_NOT_FOUND' ? undefined : expect.objectContaining({ digest: one.digest }))
})

test('a tag never heard of is unknown while the origin cannot be asked', async () => {
  kit.origin.down = 'ORIGIN_UNAVAILABLE'
  await expect(tags.resolve(repository, 'v1')).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN', status: 404 })
})

test('callers at one time ask once', async () => {
  kit.origin.gate = new Gate()
  const all = Promise.all([tags.resolve(repository, 'v1'), tags.resolve(repository, 'v1'), tags.resolve(repository, 'v1')])
  await kit.origin.gate.reached()
  kit.origin.gate.open()
  expect(new Set((await all).map(({ digest }) => digest))).toEqual(new Set([one.digest]))
  expect(kit.origin.requests).toHaveLength(1)
})

test('a caller that leaves does not disturb the others', async () => {
  kit.origin.gate = new Gate()
  const left = new AbortController()
  const leaving = tags.resolve(repository, 'v1', { signal: left.signal })
  const staying = tags.resolve(repository, 'v1')
  await kit.origin.gate.reached()
  left.abort(new Error('gone'))
  await expect(leaving).rejects.toThrow('gone')
  kit.origin.gate.open()
  expect(await staying).toMatchObject({ digest: one.digest })
})

test('a store that cannot remember it does not make the answer wrong', async () => {
  const links = overriding(kit.store.links, { setTag: async () => { throw new StoreFullError('db') } })
  const forgetful = new Tags({ ...kit, store: overriding(kit.store, { links }) })
  expect(await forgetful.resolve(repository, 'v1')).toMatchObject({ digest: one.digest, isStale: false })
})
