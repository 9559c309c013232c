import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { PullEvent } from '../../../agent/api-types.ts'
import { ownPlatform } from '../../../agent/http/pull-request.ts'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts'
import { Gate } from '../../support/gate.ts'
import { seededBytes } from '../../support/image.ts'
import { until } from '../../../scenarios/live/until.ts'
import { RawConnection } from './raw-connection.ts'
import { createTestAgent, CONFIG, manifestBytes, REPOSITORY, type TestAgent } from './test-agent.ts'

const REFERENCE = 'reg.test/team/app:1'
const ARCHITECTURES = ['amd64', 'arm64', 'riscv64']

let agent: TestAgent
/** One layer for each of the architectures. */
let layers: Map<string, Buffer>
let index: Digest

beforeEach(() => {
  agent = createTestAgent()
  layers = new Map(ARCHITECTURES.map(architecture => [architecture, seededBytes(200_000, architecture)]))
  index = addIndex()
})

afterEach(async () => { await agent.close() })

function addIndex (): Digest {
  const { origin } = agent
  origin.addBlob(REPOSITORY, CONFIG)
  const manifests = [...layers].map(([architecture, layer]) => {
    const bytes = manifestBytes([{ digest: origin.addBlob(REPOSITORY, layer), size: layer.length }])
    const digest = origin.addManifest(REPOSITORY, bytes, MEDIA_TYPES.ociManifest)
    return { mediaType: MEDIA_TYPES.ociManifest, digest, size: bytes.length, platform: { os: 'linux', architecture } }
  })
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }))
  return origin.addManifest(REPOSITORY, bytes, MEDIA_TYPES.ociIndex, '1')
}

function postPull (payload: unknown, headers: Record<string, string> = {}) {
  return agent.app.inject({ method: 'POST', url: '/api/v1/pull', headers: { 'content-type': 'application/json', ...headers }, payload: typeof payload === 'string' ? payload : JSON.stringify(payload) })
}

async function pullEvents (request: object): Promise<PullEvent[]> {
  const answer = await postPull(request)
  expect(answer.statusCode).toBe(200)
  expect(answer.headers['content-type']).toBe('application/x-ndjson')
  expect(answer.payload).toMatch(/\n$/)
  return answer.payload.trimEnd().split('\n').map(line => JSON.parse(line) as PullEvent)
}

async function storedLayers (): Promise<string[]> {
  const stored = []
  for (const [architecture, layer] of layers) if (await agent.store.stat(digestOf(layer)) !== undefined) stored.push(architecture)
  return stored
}

describe('health', () => {
  it('is ok while the process lives', async () => {
    for (const method of ['GET', 'HEAD'] as const) {
      const answer = await agent.app.inject({ method, url: '/healthz' })
      expect(answer.statusCode).toBe(200)
      expect(answer.payload).toBe(method === 'GET' ? 'ok\n' : '')
    }
  })

  it('is ready only when nothing is missing', async () => {
    const reasons = ['the store is being read']
    const starting = createTestAgent({ components: { notReady: () => reasons } })
    try {
      const early = await starting.app.inject({ url: '/readyz' })
      expect(early.statusCode).toBe(503)
      expect(early.json()).toEqual({ ready: false, reasons: ['the store is being read'] })
      reasons.pop()
      const late = await starting.app.inject({ url: '/readyz' })
      expect(late.statusCode).toBe(200)
      expect(late.json()).toEqual({ ready: true, reasons: [] })
    } finally {
      await starting.close()
    }
  })

  it('gives metrics in the format they are rendered in', async () => {
    const contentType = 'text/plain; version=0.0.4; charset=utf-8'
    const measured = createTestAgent({ components: { renderMetrics: async () => ({ contentType, body: 'shoal_peers 3\n' }) } })
    try {
      const answer = await measured.app.inject({ url: '/metrics' })
      expect(answer.headers['content-type']).toBe(contentType)
      expect(answer.payload).toBe('shoal_peers 3\n')
    } finally {
      await measured.close()
    }
  })

  it('is 500 and reported when the status cannot be told', async () => {
    const answer = await agent.app.inject({ url: '/api/v1/status' })
    expect(answer.statusCode).toBe(500)
    expect(answer.json()).toMatchObject({ errors: [{ code: 'UNKNOWN' }] })
    expect(agent.defects).toHaveLength(1)
  })
})

describe('pull', () => {
  it('tells what happens, in order', async () => {
    const events = await pullEvents({ reference: REFERENCE, platform: 'linux/arm64' })
    const layer = layers.get('arm64') ?? Buffer.alloc(0)
    expect(events.slice(0, 4)).toEqual([
      { type: 'manifest', reference: REFERENCE, digest: index, mediaType: MEDIA_TYPES.ociIndex, stale: false },
      expect.objectContaining({ type: 'manifest', mediaType: MEDIA_TYPES.ociManifest }),
      { type: 'layer', digest: digestOf(CONFIG), size: CONFIG.length, mediaType: MEDIA_TYPES.ociConfig },
      { type: 'layer', digest: digestOf(layer), size: layer.length, mediaType: MEDIA_TYPES.ociLayerGzip }
    ])
    const ofLayer = events.filter(event => 'digest' in event && event.digest === digestOf(layer))
    expect(ofLayer.at(-1)).toMatchObject({ type: 'layer-done', size: layer.length, fromOrigin: layer.length, fromPeers: 0, fromStore: 0 })
    const received = ofLayer.flatMap(event => event.type === 'progress' ? [event.received] : [])
    expect(received).toEqual([...received].sort((a, b) => a - b))
    expect(events.at(-1)).toMatchObject({ type: 'done', digest: index, size: layer.length + CONFIG.length, fromOrigin: layer.length + CONFIG.length })
    expect(events.filter(event => event.type === 'done')).toHaveLength(1)
  })

  it('brings what it says into the store', async () => {
    await pullEvents({ reference: REFERENCE, platform: 'linux/arm64' })
    expect(await storedLayers()).toEqual(['arm64'])
  })

  it('of what is here asks nobody', async () => {
    await pullEvents({ reference: REFERENCE, platform: 'linux/arm64' })
    const before = agent.origin.requests.length
    const done = (await pullEvents({ reference: REFERENCE, platform: 'linux/arm64' })).at(-1)
    expect(done).toMatchObject({ type: 'done', fromOrigin: 0, fromPeers: 0, fromStore: 200_000 + CONFIG.length })
    expect(agent.origin.requests.slice(before)).toEqual([])
  })

  it('takes the platform of this machine when none is named', async () => {
    await pullEvents({ reference: REFERENCE })
    expect(await storedLayers()).toEqual([ownPlatform().architecture])
  })

  it('takes all platforms when asked to', async () => {
    await pullEvents({ reference: REFERENCE, platform: 'all' })
    expect(await storedLayers()).toEqual(ARCHITECTURES)
  })

  it('ends with an error that names the platforms there are', async () => {
    const events = await pullEvents({ reference: REFERENCE, platform: 'linux/s390x' })
    expect(events.at(-1)).toMatchObject({ type: 'error', code: 'MANIFEST_UNKNOWN' })
    expect((events.at(-1) as { message: string }).message).toContain('linux/amd64, linux/arm64, linux/riscv64')
    expect(agent.defects).toEqual([])
  })

  it('ends with an error whose code says what is wrong', async () => {
    expect(await pullEvents({ reference: 'reg.test/team/app:none' })).toEqual([expect.objectContaining({ type: 'error', code: 'MANIFEST_UNKNOWN' })])
    agent.origin.down = 'ORIGIN_DENIED'
    expect((await pullEvents({ reference: `reg.test/team/app@${index}` })).at(-1)).toMatchObject({ type: 'error', code: 'CONTENT_UNAVAILABLE' })
    expect(agent.defects).toEqual([])
  })

  it('reports a defect, and says nothing of its inside', async () => {
    const defect = new TypeError('secrets of the inside')
    const broken = createTestAgent({ components: { pull: async () => { throw defect } } })
    try {
      const answer = await broken.app.inject({ method: 'POST', url: '/api/v1/pull', payload: { reference: 'a' } })
      expect(JSON.parse(answer.payload)).toEqual({ type: 'error', code: 'UNKNOWN', message: 'the agent failed; its log says why' })
      expect(broken.defects).toEqual([defect])
    } finally {
      await broken.close()
    }
  })

  it.each([
    ['{', 'UNSUPPORTED'], ['null', 'NAME_INVALID'], ['[]', 'NAME_INVALID'], ['{}', 'NAME_INVALID'], ['{"reference":1}', 'NAME_INVALID'], ['{"reference":"UPPER"}', 'NAME_INVALID'],
    ['{"reference":"a:b:c"}', 'TAG_INVALID'], ['{"reference":"a@sha256:1"}', 'DIGEST_INVALID'], ['{"reference":"a","platform":"linux"}', 'NAME_INVALID'],
    ['{"reference":"a","platform":7}', 'NAME_INVALID'], ['{"reference":"a","platform":"linux/../x"}', 'NAME_INVALID'], ['{"__proto__":{"reference":"a"}}', 'UNSUPPORTED']
  ])('refuses the body %s', async (payload, code) => {
    const answer = await postPull(payload)
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ errors: [{ code }] })
    expect(agent.origin.requests).toEqual([])
  })

  it('refuses a body that is too large', async () => {
    const answer = await postPull({ reference: 'a', padding: 'x'.repeat(100_000) })
    expect(answer.statusCode).toBe(413)
    expect(answer.json()).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] })
  })

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'nonsense'])('refuses %s, which a page may send anywhere', async contentType => {
    const answer = await postPull({ reference: REFERENCE }, { 'content-type': contentType })
    expect(answer.statusCode).toBe(415)
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
    expect(agent.origin.requests).toEqual([])
  })

  it('takes JSON with a charset', async () => {
    expect((await postPull({ reference: REFERENCE }, { 'content-type': 'application/json; charset=utf-8' })).statusCode).toBe(200)
  })

  it.each([['cross-site', 403], ['same-site', 403], ['same-origin', 200], ['none', 200]])('from a page with Sec-Fetch-Site: %s is %i', async (site, status) => {
    const answer = await postPull({ reference: REFERENCE }, { 'sec-fetch-site': site })
    expect(answer.statusCode).toBe(status)
    if (status !== 200) expect(agent.origin.requests).toEqual([])
  })

  it('gives no other site leave to ask', async () => {
    const answer = await agent.app.inject({ method: 'OPTIONS', url: '/api/v1/pull', headers: { origin: 'http://evil.test', 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' } })
    expect(answer.statusCode).toBe(404)
    expect(Object.keys(answer.headers).filter(name => name.startsWith('access-control'))).toEqual([])
  })

  it('stops when its client goes away', async () => {
    const gate = new Gate()
    for (const layer of layers.values()) agent.origin.addBlob(REPOSITORY, layer, { gate })
    const connection = await RawConnection.open(await agent.listen())
    const body = JSON.stringify({ reference: REFERENCE })
    connection.request('/api/v1/pull', { 'Content-Type': 'application/json', 'Content-Length': String(body.length) }, 'POST')
    connection.write(body)
    await gate.reached()
    await connection.until(received => received.includes('"type":"layer"') ? true : undefined)
    connection.close()
    await until(() => agent.puller.blobs.status().length === 0, { what: 'no fetch under way' })
    expect(agent.events.some(event => event.type === 'fetch:abandoned')).toBe(true)
    expect(agent.defects).toEqual([])
  })
})
