import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts'
import type { OriginErrorCode } from '../../../src/origin/origin-error.ts'
import { MemoryStore } from '../../../src/store/memory-store.ts'
import { StoreFullError } from '../../../src/store/store-errors.ts'
import type { PartialBlob } from '../../../src/store/store.ts'
import { Gate } from '../../support/gate.ts'
import { createTestAgent, CONFIG, manifestBytes, NAME, REPOSITORY, type TestAgent } from './test-agent.ts'

const LAYER = Buffer.from('a layer '.repeat(10_000))
const NOBODYS_DIGEST = digestOf(Buffer.from('what nobody has'))
const ORIGIN_ERRORS: OriginErrorCode[] = ['ORIGIN_NOT_FOUND', 'ORIGIN_DENIED', 'ORIGIN_RATE_LIMITED', 'ORIGIN_UNAVAILABLE', 'ORIGIN_TIMEOUT', 'ORIGIN_FORBIDDEN', 'ORIGIN_INVALID']

let agent: TestAgent
let manifest: Buffer
let manifestDigest: Digest

beforeEach(() => {
  agent = createTestAgent()
  manifest = manifestBytes([{ digest: digestOf(LAYER), size: LAYER.length }])
  manifestDigest = addImage(agent)
})

afterEach(async () => { await agent.close() })

it('what the manifests of one repository say of a digest counts in no other', async () => {
  const layer = digestOf(LAYER)
  const index = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociIndex,
    manifests: [{ mediaType: MEDIA_TYPES.ociManifest, digest: layer, size: LAYER.length, platform: { os: 'linux', architecture: 's390x' } }]
  }))
  agent.origin.addManifest({ registry: REPOSITORY.registry, name: 'evil/x' }, index, MEDIA_TYPES.ociIndex, 'latest')
  agent.origin.addBlob(REPOSITORY, LAYER)
  const url = await agent.listen()
  const status = async (path: string): Promise<number> => {
    const response = await fetch(url + path)
    await response.arrayBuffer()
    return response.status
  }
  expect(await status(`/v2/${NAME}/manifests/${manifestDigest}`)).toBe(200)
  expect(await status(`/v2/${REPOSITORY.registry}/evil/x/manifests/latest`)).toBe(200)
  expect(await status(`/v2/${NAME}/blobs/${layer}`)).toBe(200)
})

function addImage ({ origin }: TestAgent): Digest {
  origin.addBlob(REPOSITORY, LAYER)
  origin.addBlob(REPOSITORY, CONFIG)
  return origin.addManifest(REPOSITORY, manifest, MEDIA_TYPES.ociManifest, '1')
}

function ask (path: string, { method = 'GET', of = agent }: { method?: 'GET' | 'HEAD', of?: TestAgent } = {}) {
  return of.app.inject({ method, url: `/v2/${NAME}/${path}` })
}

describe('what cannot be had', () => {
  it.each(ORIGIN_ERRORS)('is 404 with the right code when the origin answers %s', async code => {
    agent.origin.down = code
    const expected = { 'manifests/1': 'MANIFEST_UNKNOWN', [`manifests/${manifestDigest}`]: 'MANIFEST_UNKNOWN', [`blobs/${digestOf(LAYER)}`]: 'BLOB_UNKNOWN', 'tags/list': 'NAME_UNKNOWN' }
    for (const [path, errorCode] of Object.entries(expected)) {
      const answer = await ask(path)
      expect(answer.statusCode, path).toBe(404)
      expect(answer.json(), path).toMatchObject({ errors: [{ code: errorCode }] })
      const head = await ask(path, { method: 'HEAD' })
      expect(head.statusCode, path).toBe(404)
      expect(head.rawPayload, path).toHaveLength(0)
    }
    expect((await ask(`referrers/${manifestDigest}`)).json()).toMatchObject({ manifests: [] })
    expect(agent.defects).toEqual([])
  })

  it('is 404 when the store is full', async () => {
    const full = createTestAgent({ store: events => new FullStore({ events }) })
    addImage(full)
    try {
      for (const path of ['manifests/1', `manifests/${manifestDigest}`, `blobs/${digestOf(LAYER)}`]) {
        expect((await ask(path, { of: full })).statusCode, path).toBe(404)
      }
      expect(full.defects).toEqual([])
    } finally {
      await full.close()
    }
  })

  it('is 404 when the agent stops while it is fetched', async () => {
    const gate = new Gate()
    agent.origin.addBlob(REPOSITORY, LAYER, { gate })
    const answer = ask(`blobs/${digestOf(LAYER)}`)
    await gate.reached()
    await agent.puller.stop()
    expect((await answer).statusCode).toBe(404)
    expect((await answer).json()).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN', detail: { reason: 'FETCH_ABANDONED' } }] })
    expect(agent.defects).toEqual([])
  })

  it('is 404 when what the origin sends is not what it should be', async () => {
    const digest = agent.origin.addBlob(REPOSITORY, LAYER, { bytes: Buffer.from(LAYER).fill(1, 5, 6) })
    const answer = await ask(`blobs/${digest}`)
    expect(answer.statusCode).toBe(404)
    expect(answer.json()).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] })
  })
})

describe('a defect of the agent', () => {
  it('is 500 with UNKNOWN, says nothing of its inside and is reported', async () => {
    const defect = new TypeError('secrets of the inside')
    const broken = createTestAgent({ store: events => new BrokenStore(defect, { events }) })
    try {
      for (const method of ['GET', 'HEAD'] as const) {
        const answer = await ask(`blobs/${NOBODYS_DIGEST}`, { method, of: broken })
        expect(answer.statusCode).toBe(500)
        expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
        expect(answer.payload).not.toContain('secrets')
        if (method === 'GET') expect(answer.json()).toMatchObject({ errors: [{ code: 'UNKNOWN' }] })
      }
      expect(broken.defects).toEqual([defect, defect])
    } finally {
      await broken.close()
    }
  })
})

describe('an origin out of reach', () => {
  beforeEach(async () => {
    for (const path of ['manifests/1', `blobs/${digestOf(LAYER)}`, `blobs/${digestOf(CONFIG)}`]) expect((await ask(path)).statusCode).toBe(200)
    agent.origin.down = 'ORIGIN_UNAVAILABLE'
    agent.now += 3_600_000
  })

  it('leaves tags resolved before, with a warning', async () => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await ask('manifests/1', { method })
      expect(answer.statusCode).toBe(200)
      expect(answer.headers.warning).toMatch(/^299 shoal "stale, resolved \d{4}-\d\d-\d\dT[^"]+"$/)
    }
  })

  it('leaves the tags and referrers known here, with a warning', async () => {
    const tags = await ask('tags/list')
    expect(tags.json()).toEqual({ name: NAME, tags: ['1'] })
    expect(tags.headers.warning).toMatch(/^299 shoal "stale: [^"]+"$/)
    const referrers = await ask(`referrers/${manifestDigest}`)
    expect(referrers.statusCode).toBe(200)
    expect(referrers.headers.warning).toMatch(/^299 shoal "stale: [^"]+"$/)
  })

  it('leaves content by digest, without a warning', async () => {
    for (const path of [`manifests/${manifestDigest}`, `blobs/${digestOf(LAYER)}`]) {
      const answer = await ask(path)
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).not.toHaveProperty('warning')
    }
  })
})

/** Has no room for anything new. */
class FullStore extends MemoryStore {
  override async openPartial (digest: Digest): Promise<PartialBlob> {
    const partial = await super.openPartial(digest)
    partial.append = async () => { throw new StoreFullError('the disk') }
    return partial
  }

  override async put (): Promise<never> {
    throw new StoreFullError('the disk')
  }
}

/** Fails as code does that is wrong. */
class BrokenStore extends MemoryStore {
  readonly #defect: Error

  constructor (defect: Error, init: ConstructorParameters<typeof MemoryStore>[0]) {
    super(init)
    this.#defect = defect
  }

  override async stat (): Promise<never> {
    throw this.#defect
  }
}
