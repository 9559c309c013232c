import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts'
import type { Repository } from '../../../src/oci/repository.ts'
import { asked, createTestAgent, CONFIG, manifestBytes, NAME, REPOSITORY, storeBlob, type TestAgent } from './test-agent.ts'

const LAYER = Buffer.from('a layer '.repeat(10_000))
const NOBODYS_DIGEST = digestOf(Buffer.from('what nobody has'))

let agent: TestAgent
let manifest: Buffer
let manifestDigest: Digest

beforeEach(() => {
  agent = createTestAgent()
  manifest = manifestBytes([{ digest: digestOf(LAYER), size: LAYER.length }])
  manifestDigest = addImage(agent)
})

afterEach(async () => { await agent.close() })

function addImage ({ origin }: TestAgent, repository: Repository = REPOSITORY): Digest {
  origin.addBlob(repository, LAYER)
  origin.addBlob(repository, CONFIG)
  return origin.addManifest(repository, manifest, MEDIA_TYPES.ociManifest, '1')
}

function ask (path: string, { method = 'GET', headers = {} }: { method?: 'GET' | 'HEAD', headers?: Record<string, string> } = {}) {
  return agent.app.inject({ method, url: `/v2/${NAME}/${path}`, headers })
}

describe('headers of every answer', () => {
  it.each([
    ['/v2/', 200], ['/v2', 200], [`/v2/${NAME}/manifests/1`, 200], [`/v2/${NAME}/manifests/none`, 404], [`/v2/${NAME}/blobs/${NOBODYS_DIGEST}`, 404],
    [`/v2/${NAME}/blobs/sha256:short`, 400], [`/v2/${NAME}/tags/list`, 200], ['/v2/_catalog', 404], ['/nowhere', 404], ['/', 404], ['//v2/', 404],
    ['/v2/%zz/manifests/1', 400], ['/%zz', 400], ['/healthz', 200], ['/api/v1/pull', 404]
  ])('%s is %i and names the version of the API', async (url, status) => {
    const answer = await agent.app.inject({ url })
    expect(answer.statusCode).toBe(status)
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
  })

  it('are without compression, whatever the client accepts', async () => {
    const answer = await ask(`blobs/${digestOf(LAYER)}`, { headers: { 'accept-encoding': 'gzip, br, zstd' } })
    expect(answer.headers).not.toHaveProperty('content-encoding')
    expect(answer.rawPayload.equals(LAYER)).toBe(true)
  })

  it.each([MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifest])('have the exact type of a manifest, %s', async mediaType => {
    const bytes = manifestBytes([], { mediaType })
    const digest = agent.origin.addManifest(REPOSITORY, bytes, mediaType, 'typed')
    for (const reference of ['typed', digest]) {
      for (const method of ['GET', 'HEAD'] as const) {
        expect((await ask(`manifests/${reference}`, { method })).headers['content-type']).toBe(mediaType)
      }
    }
  })

  it('of HEAD are those of GET', async () => {
    for (const path of ['manifests/1', `manifests/${manifestDigest}`, `blobs/${digestOf(LAYER)}`, 'tags/list', `referrers/${manifestDigest}`, 'manifests/none', 'blobs/sha256:short']) {
      const [get, head] = [await ask(path), await ask(path, { method: 'HEAD' })]
      expect(head.statusCode, path).toBe(get.statusCode)
      expect(comparable(head.headers), path).toEqual(comparable(get.headers))
      expect(head.rawPayload, path).toHaveLength(0)
    }
  })
})

describe('a client that has it already', () => {
  it.each(['quoted', 'bare', 'weak', 'among others', 'any'])('is told by 304 when its tag is %s', async form => {
    for (const [path, digest] of [['manifests/1', manifestDigest], [`manifests/${manifestDigest}`, manifestDigest], [`blobs/${digestOf(LAYER)}`, digestOf(LAYER)]] as const) {
      const tag = { quoted: `"${digest}"`, bare: digest, weak: `W/"${digest}"`, 'among others': `"a", "${digest}"`, any: '*' }[form] ?? ''
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await ask(path, { method, headers: { 'if-none-match': tag } })
        expect(answer.statusCode, path).toBe(304)
        expect(answer.headers).toMatchObject({ etag: `"${digest}"`, 'docker-content-digest': digest })
        expect(answer.rawPayload).toHaveLength(0)
      }
    }
  })

  it('is not told so of something else, or of what is nowhere', async () => {
    const headers = { 'if-none-match': `"${NOBODYS_DIGEST}"` }
    expect((await ask('manifests/1', { headers })).statusCode).toBe(200)
    expect((await ask(`blobs/${digestOf(LAYER)}`, { headers })).statusCode).toBe(200)
    expect((await ask(`blobs/${NOBODYS_DIGEST}`, { headers })).statusCode).toBe(404)
  })

  it('makes the agent download nothing', async () => {
    await ask(`blobs/${digestOf(LAYER)}`, { headers: { 'if-none-match': `"${digestOf(LAYER)}"` } })
    expect(asked(agent)).toEqual(['stat'])
  })
})

describe('addressing', () => {
  const REPOSITORIES = [
    { registry: 'docker.io', name: 'library/alpine' }, { registry: 'ghcr.io', name: 'org/app' }, { registry: 'host.test:5000', name: 'app' },
    { registry: 'localhost:5000', name: 'app' }, { registry: 'docker.io', name: 'org/app' }
  ]

  beforeEach(() => {
    for (const repository of REPOSITORIES) agent.origin.addManifest(repository, manifest, MEDIA_TYPES.ociManifest, `of-${repository.registry.replace(':', '-')}-${repository.name.replace('/', '-')}`)
  })

  it.each([
    ['alpine', undefined, 'of-docker.io-library-alpine'],
    ['library/alpine', undefined, 'of-docker.io-library-alpine'],
    ['docker.io/alpine', undefined, 'of-docker.io-library-alpine'],
    ['index.docker.io/library/alpine', undefined, 'of-docker.io-library-alpine'],
    ['library/alpine', 'docker.io', 'of-docker.io-library-alpine'],
    ['alpine', '', 'of-docker.io-library-alpine'],
    ['org/app', 'ghcr.io', 'of-ghcr.io-org-app'],
    ['ghcr.io/org/app', undefined, 'of-ghcr.io-org-app'],
    ['host.test_5000_/app', undefined, 'of-host.test-5000-app'],
    ['host.test:5000/app', undefined, 'of-host.test-5000-app'],
    ['app', 'host.test:5000', 'of-host.test-5000-app'],
    ['localhost_5000_/app', undefined, 'of-localhost-5000-app'],
    ['org/app', undefined, 'of-docker.io-org-app']
  ])('%s with ns=%s means the right repository', async (name, ns, tag) => {
    const answer = await agent.app.inject({ url: `/v2/${name}/tags/list`, query: ns === undefined ? {} : { ns } })
    expect(answer.statusCode).toBe(200)
    expect(answer.json()).toEqual({ name, tags: [tag] })
  })

  it('says which namespace it understood, for manifests, blobs, tags and misses', async () => {
    addImage(agent, { registry: 'ghcr.io', name: 'team/app' })
    for (const path of ['manifests/1', `manifests/${manifestDigest}`, `blobs/${digestOf(LAYER)}`, 'tags/list', `referrers/${manifestDigest}`, 'manifests/none']) {
      const answer = await agent.app.inject({ url: `/v2/team/app/${path}?ns=ghcr.io` })
      expect(answer.headers['oci-namespace'], path).toBe('ghcr.io')
    }
    expect((await agent.app.inject({ url: '/v2/ghcr.io/team/app/manifests/1' })).headers).not.toHaveProperty('oci-namespace')
  })

  it('keeps the namespace in the link to the next page', async () => {
    agent.origin.addManifest({ registry: 'host.test:5000', name: 'app' }, manifest, MEDIA_TYPES.ociManifest, 'z')
    const answer = await agent.app.inject({ url: '/v2/app/tags/list?n=1&ns=host.test:5000' })
    const [, next] = /^<([^>]+)>/.exec(String(answer.headers.link)) ?? []
    expect((await agent.app.inject({ url: next ?? '' })).json()).toEqual({ name: 'app', tags: ['z'] })
  })

  it.each(['a b', '../x', 'host:99999', 'http://host', 'host/path', 'a\r\nX-Evil: 1', '[::1', '-'])('refuses the namespace %j', async ns => {
    const answer = await agent.app.inject({ url: '/v2/app/manifests/1', query: { ns } })
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ errors: [{ code: 'NAME_INVALID' }] })
    expect(answer.headers).not.toHaveProperty('oci-namespace')
  })

  it('takes the first of several namespaces', async () => {
    expect((await agent.app.inject({ url: '/v2/org/app/tags/list?ns=ghcr.io&ns=docker.io' })).json()).toMatchObject({ tags: ['of-ghcr.io-org-app'] })
  })
})

describe('HEAD', () => {
  it('of a blob downloads nothing, cold or half-way here', async () => {
    const answer = await ask(`blobs/${digestOf(LAYER)}`, { method: 'HEAD' })
    expect(answer.headers['content-length']).toBe(String(LAYER.length))
    expect(asked(agent)).toEqual(['stat'])
    expect((await agent.store.usage()).partials).toBe(0)
  })

  it('of a tag asks the origin for it and downloads nothing', async () => {
    const answer = await ask('manifests/1', { method: 'HEAD' })
    expect(answer.headers).toMatchObject({ 'content-length': String(manifest.length), 'docker-content-digest': manifestDigest })
    expect(asked(agent)).toEqual(['resolve'])
  })
})

describe('a manifest\'s digest under /blobs/', () => {
  it('is 404, whether the manifest is stored or only known', async () => {
    const index = Buffer.from(JSON.stringify({
      schemaVersion: 2,
      mediaType: MEDIA_TYPES.ociIndex,
      manifests: [{ mediaType: MEDIA_TYPES.ociManifest, digest: manifestDigest, size: manifest.length, platform: { os: 'linux', architecture: 'amd64' } }]
    }))
    const indexDigest = agent.origin.addManifest(REPOSITORY, index, MEDIA_TYPES.ociIndex, 'index')
    for (const bytes of [index, manifest]) agent.origin.addBlob(REPOSITORY, bytes)
    await ask('manifests/index')
    for (const digest of [indexDigest, manifestDigest]) {
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await ask(`blobs/${digest}`, { method })
        expect(answer.statusCode).toBe(404)
        if (method === 'GET') expect(answer.json()).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] })
      }
    }
  })

  it('and a blob\'s digest under /manifests/ is 404 too', async () => {
    const digest = await storeBlob(agent, Buffer.from('no manifest at all'))
    for (const method of ['GET', 'HEAD'] as const) expect((await ask(`manifests/${digest}`, { method })).statusCode).toBe(404)
  })
})

describe('metrics', () => {
  it('know requests by the kind of their path, never by the path', async () => {
    for (const url of ['/v2/', `/v2/${NAME}/manifests/1`, `/v2/${NAME}/blobs/${NOBODYS_DIGEST}`, `/v2/${NAME}/tags/list`, `/v2/${NAME}/referrers/${manifestDigest}`, '/v2/a/b/c', '/x/y', '/healthz']) {
      await agent.app.inject({ url })
    }
    await agent.app.inject({ method: 'POST', url: `/v2/${NAME}/blobs/uploads/` })
    expect(agent.observed.map(({ route, status }) => `${route} ${status}`)).toEqual([
      '/v2/ 200', '/v2/<name>/manifests 200', '/v2/<name>/blobs 404', '/v2/<name>/tags 200', '/v2/<name>/referrers 200', '/v2/* 404', 'none 404', '/healthz 200', '/v2/* 405'
    ])
  })
})

function comparable (headers: Record<string, unknown>): Record<string, unknown> {
  const { date: _, ...rest } = headers
  return rest
}
