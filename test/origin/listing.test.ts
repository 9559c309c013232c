import { describe, expect, test } from 'vitest'
import { digestOf } from '../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { failureOf, image, REPOSITORY, startZooOrigin } from './zoo-origin.ts'

const tags = Object.fromEntries(['b', '10', 'a', '2', 'Z', 'c', 'latest'].map(tag => [tag, image.index]))
const sorted = ['10', '2', 'Z', 'a', 'b', 'c', 'latest']

describe('tags', () => {
  test.each([[Infinity, 1], [2, 4], [7, 1]])('come sorted, %d a page', async (tagsPerPage, pages) => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories: { 'team/app': { tags } }, tagsPerPage } })
    expect(await origin.tags(REPOSITORY)).toEqual(sorted)
    expect(zoo.requests).toHaveLength(pages)
  })

  test('may be none, written as null', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 200, body: '{"name":"team/app","tags":null}' } })
    expect(await origin.tags(REPOSITORY)).toEqual([])
  })

  test('that are none by the grammar are left out, and each comes once', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 200, body: JSON.stringify({ tags: ['ok', 'ok', '../x', 7, null, 'a b'] }) } })
    expect(await origin.tags(REPOSITORY)).toEqual(['ok'])
  })

  test('of a repository with a base path are asked for there, page by page', async () => {
    const { origin } = await startZooOrigin({ config: {}, zoo: { repositories: { 'team/app': { tags } }, tagsPerPage: 3 } })
    expect(await origin.tags(REPOSITORY)).toHaveLength(7)
  })

  test('of an unknown repository are ORIGIN_NOT_FOUND', async () => {
    const { origin } = await startZooOrigin()
    expect((await failureOf(origin.tags({ ...REPOSITORY, name: 'team/none' }))).code).toBe('ORIGIN_NOT_FOUND')
  })

  test.each([
    ['without end', { Link: '</v2/team/app/tags/list?last=a>; rel="next"' }, 200],
    ['at another host', { Link: '<http://127.0.0.1:1/v2/team/app/tags/list?last=a>; rel="next"' }, 1]
  ])('with a next page %s are ORIGIN_INVALID', async (_, headers, requests) => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'headers', headers } })
    expect((await failureOf(origin.tags(REPOSITORY))).code).toBe('ORIGIN_INVALID')
    expect(zoo.requests).toHaveLength(requests)
  })

  test.each(['[]', '{"tags":{}}', 'no JSON'])('that are %s are ORIGIN_INVALID', async body => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'answer', status: 200, body } })
    expect((await failureOf(origin.tags(REPOSITORY))).code).toBe('ORIGIN_INVALID')
  })

  test('that take too long in all are ORIGIN_TIMEOUT', async () => {
    const { zoo, origin } = await startZooOrigin({ timeouts: { listMs: 60 } })
    zoo.behave({ deed: { type: 'hang' } })
    expect(await failureOf(origin.tags(REPOSITORY))).toMatchObject({ code: 'ORIGIN_TIMEOUT', timeoutMs: 60 })
  })
})

describe('referrers', () => {
  const subject = image.index.digest
  const descriptor = (name: string) => ({ mediaType: MEDIA_TYPES.ociManifest, digest: digestOf(Buffer.from(name)), size: 1 })
  const index = (...names: string[]) => ({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: names.map(descriptor) })

  test('come as the registry\'s own index', async () => {
    const { zoo, origin } = await startZooOrigin({ zoo: { repositories: { 'team/app': { referrers: { [subject]: index('a', 'b') } } } } })
    expect(JSON.parse(Buffer.from(await origin.referrers(REPOSITORY, subject)).toString())).toEqual(index('a', 'b'))
    expect(zoo.requests[0]?.headers.accept).toBe(MEDIA_TYPES.ociIndex)
  })

  test('on several pages come as one index', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ times: 1, skip: 1, deed: { type: 'answer', status: 200, body: JSON.stringify(index('b')) } })
    zoo.behave({ times: 1, deed: { type: 'answer', status: 200, headers: { Link: `<${zoo.url}/v2/team/app/referrers/${subject}?page=2>; rel="next"` }, body: JSON.stringify(index('a')) } })
    zoo.behave({ times: 1, skip: 1, deed: { type: 'answer', status: 200, body: JSON.stringify(index('b')) } })
    expect(JSON.parse(Buffer.from(await origin.referrers(REPOSITORY, subject)).toString())).toEqual(index('a', 'b'))
    expect(zoo.requests[1]?.url).toBe(`/v2/team/app/referrers/${subject}?page=2`)
  })

  test('where the registry has no such endpoint are ORIGIN_NOT_FOUND', async () => {
    const { origin } = await startZooOrigin()
    expect((await failureOf(origin.referrers(REPOSITORY, subject))).code).toBe('ORIGIN_NOT_FOUND')
  })

  test('of more than 4 MiB in all are ORIGIN_INVALID', async () => {
    const { zoo, origin } = await startZooOrigin()
    const page = JSON.stringify({ ...index(), annotations: { padding: 'x'.repeat(3 * 1024 * 1024) } })
    zoo.behave({ deed: { type: 'answer', status: 200, headers: { Link: '<?page=2>; rel="next"' }, body: page } })
    expect((await failureOf(origin.referrers(REPOSITORY, subject))).code).toBe('ORIGIN_INVALID')
    expect(zoo.requests).toHaveLength(2)
  })
})
