import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts'
import { createTestAgent, CONFIG, manifestBytes, NAME, REPOSITORY, type TestAgent } from './test-agent.ts'

/*
 * What the OCI distribution specification 1.1 asks of a registry in its categories "Pull" and "Content Discovery", in
 * the order of the questions its conformance suite puts. A registry here is the agent in front of one that has it all.
 */

const LAYER = Buffer.from('a layer of the image')
const NOBODYS_DIGEST = digestOf(Buffer.from('what nobody has'))
const MISSING_TAG = '.INVALID_MANIFEST_NAME'
const SPECIFIED_CODES = [
  'BLOB_UNKNOWN', 'BLOB_UPLOAD_INVALID', 'BLOB_UPLOAD_UNKNOWN', 'DIGEST_INVALID', 'MANIFEST_BLOB_UNKNOWN', 'MANIFEST_INVALID', 'MANIFEST_UNKNOWN',
  'NAME_INVALID', 'NAME_UNKNOWN', 'SIZE_INVALID', 'UNAUTHORIZED', 'DENIED', 'UNSUPPORTED', 'TOOMANYREQUESTS'
]

let agent: TestAgent
let manifest: Buffer
let digest: Digest

beforeEach(() => {
  agent = createTestAgent()
  manifest = manifestBytes([{ digest: digestOf(LAYER), size: LAYER.length }])
  for (const tag of ['Test4', 'test3', 'test2', 'test1', 'test0']) digest = agent.origin.addManifest(REPOSITORY, manifest, MEDIA_TYPES.ociManifest, tag)
  agent.origin.addBlob(REPOSITORY, LAYER)
  agent.origin.addBlob(REPOSITORY, CONFIG)
})

afterEach(async () => { await agent.close() })

function ask (method: 'GET' | 'HEAD' | 'PUT', path: string, headers: Record<string, string> = {}) {
  return agent.app.inject({ method, url: `/v2/${NAME}/${path}`, headers })
}

describe('pull: blobs', () => {
  it.each(['HEAD', 'GET'] as const)('%s of a blob that does not exist is 404', async method => {
    const answer = await ask(method, `blobs/${NOBODYS_DIGEST}`)
    expect(answer.statusCode).toBe(404)
    if (method === 'GET') expectError(answer.json(), 'BLOB_UNKNOWN')
    else expect(answer.rawPayload).toHaveLength(0)
  })

  it.each(['HEAD', 'GET'] as const)('%s of an existing blob is 200 with its length and its digest', async method => {
    const answer = await ask(method, `blobs/${digestOf(LAYER)}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({ 'content-length': String(LAYER.length), 'docker-content-digest': digestOf(LAYER) })
    expect(answer.rawPayload).toEqual(method === 'GET' ? LAYER : Buffer.alloc(0))
  })
})

describe('pull: manifests', () => {
  it.each(['HEAD', 'GET'] as const)('%s of a manifest that does not exist is 404', async method => {
    for (const reference of [MISSING_TAG, 'no-such-tag', NOBODYS_DIGEST]) {
      const answer = await ask(method, `manifests/${reference}`)
      expect(answer.statusCode, reference).toBe(404)
      if (method === 'GET') expectError(answer.json(), 'MANIFEST_UNKNOWN')
    }
  })

  it.each(['HEAD', 'GET'] as const)('%s of a manifest by digest and by tag is 200 with its type, length and digest', async method => {
    for (const reference of [digest, 'test0']) {
      const answer = await ask(method, `manifests/${reference}`, { accept: MEDIA_TYPES.ociManifest })
      expect(answer.statusCode, reference).toBe(200)
      expect(answer.headers).toMatchObject({ 'content-type': MEDIA_TYPES.ociManifest, 'content-length': String(manifest.length), 'docker-content-digest': digest })
      expect(answer.rawPayload).toEqual(method === 'GET' ? manifest : Buffer.alloc(0))
    }
  })
})

describe('pull: errors', () => {
  it('a digest that is none is 400 in the specified form', async () => {
    const answer = await ask('GET', 'manifests/sha256:totallywrong')
    expect(answer.statusCode).toBe(400)
    expect(answer.headers['content-type']).toBe('application/json')
    expectError(answer.json(), 'DIGEST_INVALID')
  })

  it('every error has a code of the specification and a message', async () => {
    const misses = [
      'manifests/no-such-tag', `manifests/${NOBODYS_DIGEST}`, `blobs/${NOBODYS_DIGEST}`, 'blobs/sha256:totallywrong', 'blobs/nothing', 'nothing',
      'referrers/sha256:totallywrong', 'tags/list?n=x', 'Upper/manifests/1'
    ]
    for (const path of misses) {
      const answer = await ask('GET', path)
      expect(answer.statusCode, path).toBeGreaterThanOrEqual(400)
      expect(answer.statusCode, path).toBeLessThan(500)
      const { errors } = answer.json<{ errors: Array<{ code: string, message: string }> }>()
      expect(errors, path).toHaveLength(1)
      expect(SPECIFIED_CODES, path).toContain(errors[0]?.code)
      expect(errors[0]?.message, path).toMatch(/./)
    }
  })

  it('an unknown repository is 404 whatever is asked of it', async () => {
    for (const path of ['manifests/test0', `manifests/${NOBODYS_DIGEST}`, `blobs/${NOBODYS_DIGEST}`, 'tags/list']) {
      const answer = await agent.app.inject({ url: `/v2/reg.test/no/such/repository/${path}` })
      expect(answer.statusCode, path).toBe(404)
    }
  })
})

describe('content discovery: tags', () => {
  const ALL = ['test0', 'test1', 'test2', 'test3', 'Test4']

  it('lists all tags in lexical order, whatever their case', async () => {
    const answer = await ask('GET', 'tags/list')
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.json()).toEqual({ name: NAME, tags: ALL })
    expect(answer.headers).not.toHaveProperty('link')
  })

  it('lists no more than n', async () => {
    const answer = await ask('GET', 'tags/list?n=2')
    expect(answer.json()).toEqual({ name: NAME, tags: ['test0', 'test1'] })
  })

  it('lists what comes after last', async () => {
    expect((await ask('GET', 'tags/list?last=test1')).json()).toMatchObject({ tags: ['test2', 'test3', 'Test4'] })
    expect((await ask('GET', 'tags/list?n=2&last=test1')).json()).toMatchObject({ tags: ['test2', 'test3'] })
    expect((await ask('GET', 'tags/list?last=test3')).json()).toMatchObject({ tags: ['Test4'] })
    expect((await ask('GET', 'tags/list?last=between')).json()).toMatchObject({ tags: ALL })
  })

  it('answers n=0 with none and without a link', async () => {
    const answer = await ask('GET', 'tags/list?n=0')
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ name: NAME, tags: [] })
    expect(answer.headers).not.toHaveProperty('link')
  })

  it('leads from page to page by links, each tag once, and the last page has none', async () => {
    const found: string[] = []
    let url: string | undefined = `/v2/${NAME}/tags/list?n=2`
    let pages = 0
    while (url !== undefined) {
      const answer = await agent.app.inject({ url })
      found.push(...answer.json<{ tags: string[] }>().tags)
      pages += 1
      const link = answer.headers.link as string | undefined
      if (link !== undefined) expect(link).toMatch(/^<[^>]+>; rel="next"$/)
      url = link?.slice(1, link.indexOf('>'))
    }
    expect(found).toEqual(ALL)
    expect(pages).toBe(3)
  })
})

describe('content discovery: referrers', () => {
  const [signature, sbom] = ['application/vnd.example.signature', 'application/vnd.example.sbom'].map((artifactType, index) => ({
    mediaType: MEDIA_TYPES.ociManifest,
    digest: digestOf(Buffer.from(`referrer ${index}`)),
    size: 100 + index,
    artifactType,
    annotations: { 'org.example.index': String(index) }
  })) as [object, object]

  beforeEach(() => {
    agent.origin.setReferrers(REPOSITORY, digest, Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [signature, sbom] })))
  })

  it('lists those of a manifest, with artifact type and annotations', async () => {
    const answer = await ask('GET', `referrers/${digest}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe(MEDIA_TYPES.ociIndex)
    expect(answer.headers).not.toHaveProperty('oci-filters-applied')
    expect(answer.json()).toEqual({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [signature, sbom] })
  })

  it('lists those of one artifact type, and says that it filtered', async () => {
    const answer = await ask('GET', `referrers/${digest}?artifactType=${encodeURIComponent('application/vnd.example.sbom')}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).toMatchObject({ 'content-type': MEDIA_TYPES.ociIndex, 'oci-filters-applied': 'artifactType' })
    expect(answer.json()).toMatchObject({ manifests: [sbom] })
    expect((await ask('GET', `referrers/${digest}?artifactType=none/such`)).json()).toMatchObject({ manifests: [] })
  })

  it('answers with an empty index where there are none, also for a manifest that does not exist', async () => {
    const answer = await ask('GET', `referrers/${NOBODYS_DIGEST}`)
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-type']).toBe(MEDIA_TYPES.ociIndex)
    expect(answer.json()).toEqual({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [] })
  })

  it('answers a digest that is none with 400', async () => {
    const answer = await ask('GET', 'referrers/sha256:totallywrong')
    expect(answer.statusCode).toBe(400)
    expectError(answer.json(), 'DIGEST_INVALID')
  })
})

describe('the base endpoint', () => {
  it.each(['/v2/', '/v2'])('%s is 200', async url => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await agent.app.inject({ method, url })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '2' })
      expect(answer.payload).toBe(method === 'GET' ? '{}' : '')
    }
  })
})

function expectError (body: { errors: Array<{ code: string }> }, code: string): void {
  expect(body).toEqual({ errors: [expect.objectContaining({ code, message: expect.any(String) as string })] })
}
