import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digestOf, type Digest } from '../../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts'
import { seededBytes } from '../../support/image.ts'
import { readMultipart } from './multipart.ts'
import { createTestAgent, CONFIG, manifestBytes, NAME, REPOSITORY, storeBlob, type TestAgent } from './test-agent.ts'

const OTHER_DIGEST = digestOf(Buffer.from('something else'))
const OCTETS = 'application/octet-stream'

/** Content, and where it is served. */
interface Subject {
  readonly path: string
  readonly bytes: Buffer
  readonly digest: Digest
  readonly mediaType: string
}

let agent: TestAgent
let subjects: Record<'stored blob' | 'cold blob' | 'manifest', Subject>
let empty: Digest

beforeAll(async () => {
  agent = createTestAgent()
  const stored = seededBytes(1000, 'stored')
  const cold = seededBytes(1000, 'cold')
  const layer = digestOf(stored)
  const manifest = manifestBytes([{ digest: layer, size: stored.length }], { annotations: { padding: 'x'.repeat(600) } })
  const manifestDigest = agent.origin.addManifest(REPOSITORY, manifest, MEDIA_TYPES.ociManifest)
  agent.origin.addBlob(REPOSITORY, CONFIG)
  await storeBlob(agent, stored)
  agent.origin.addBlob(REPOSITORY, cold)
  empty = await storeBlob(agent, Buffer.alloc(0))
  subjects = {
    'stored blob': { path: `blobs/${layer}`, bytes: stored, digest: layer, mediaType: OCTETS },
    'cold blob': { path: `blobs/${digestOf(cold)}`, bytes: cold, digest: digestOf(cold), mediaType: OCTETS },
    manifest: { path: `manifests/${manifestDigest}`, bytes: manifest, digest: manifestDigest, mediaType: MEDIA_TYPES.ociManifest }
  }
})

afterAll(async () => { await agent.close() })

async function read ({ path, digest }: Pick<Subject, 'path' | 'digest'>, headers: Record<string, string>, method: 'GET' | 'HEAD' = 'GET') {
  // each time as cold as the first time
  if (digest === subjects['cold blob'].digest) await agent.store.remove(digest)
  return agent.app.inject({ method, url: `/v2/${NAME}/${path}`, headers })
}

describe.each(['stored blob', 'cold blob', 'manifest'] as const)('ranges of a %s', kind => {
  it.each([
    ['0-0', 0, 1],
    ['0-9', 0, 10],
    ['100-199', 100, 200],
    ['500-', 500, Infinity],
    ['0-', 0, Infinity],
    ['-1', -1, Infinity],
    ['-10', -10, Infinity],
    ['-99999', 0, Infinity],
    ['10-99999999999999999999999', 10, Infinity],
    [' 5-6 ', 5, 7]
  ])('bytes=%s is one part', async (range, start, end) => {
    const { bytes, digest, mediaType, ...subject } = subjects[kind]
    const answer = await read({ ...subject, digest }, { range: `bytes=${range}` })
    const expected = bytes.subarray(start, end)
    const first = bytes.length - bytes.subarray(start).length
    expect(answer.statusCode).toBe(206)
    expect(answer.headers).toMatchObject({
      'content-range': `bytes ${first}-${first + expected.length - 1}/${bytes.length}`,
      'content-length': String(expected.length),
      'content-type': mediaType,
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
      etag: `"${digest}"`
    })
    expect(answer.rawPayload).toEqual(expected)
  })

  it('the first and the last byte are served', async () => {
    const { bytes } = subjects[kind]
    const last = bytes.length - 1
    const answer = await read(subjects[kind], { range: `bytes=${last}-${last}` })
    expect(answer.statusCode).toBe(206)
    expect(answer.headers['content-range']).toBe(`bytes ${last}-${last}/${bytes.length}`)
    expect(answer.rawPayload).toEqual(bytes.subarray(last))
  })

  it.each(['500-0', '99999-', '99999-100000', '-0', '99999-,88888-'])('bytes=%s cannot be satisfied', async range => {
    const { bytes } = subjects[kind]
    const answer = await read(subjects[kind], { range: `bytes=${range}` })
    expect(answer.statusCode).toBe(416)
    expect(answer.headers['content-range']).toBe(`bytes */${bytes.length}`)
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['content-length']).toBe(String(answer.rawPayload.length))
    expect(answer.headers).not.toHaveProperty('docker-content-digest')
    expect(answer.json()).toMatchObject({ errors: [{ code: 'RANGE_INVALID' }] })
  })

  it('exactly at the end there is nothing', async () => {
    const { bytes } = subjects[kind]
    expect((await read(subjects[kind], { range: `bytes=${bytes.length}-` })).statusCode).toBe(416)
  })

  it.each(['lines=0-9', 'bytes', 'bytes=', 'bytes=abc', 'bytes=1-2-3', 'bytes=0x1-2', 'bytes=--5', 'bytes=0-9,x', '0-9', 'bytes 0-9', `bytes=${'0-0,'.repeat(100)}`])('%s is ignored', async range => {
    const answer = await read(subjects[kind], { range })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers).not.toHaveProperty('content-range')
    expect(answer.rawPayload).toEqual(subjects[kind].bytes)
  })

  it.each(['0-9,20-29', '900-,0-0,-5', '5-5, 3-3 ,1-1', '0-9,99999-,20-29'])('bytes=%s are several parts', async range => {
    const { bytes, mediaType } = subjects[kind]
    const answer = await read(subjects[kind], { range: `bytes=${range}` })
    expect(answer.statusCode).toBe(206)
    expect(answer.headers).not.toHaveProperty('content-range')
    expect(answer.headers['content-length']).toBe(String(answer.rawPayload.length))
    const parts = readMultipart(String(answer.headers['content-type']), answer.rawPayload)
    const expected = range.split(',').map(spec => spec.trim()).filter(spec => spec !== '99999-').map(spec => spanOf(spec, bytes.length))
    expect(parts).toEqual(expected.map(({ start, end }) => ({
      contentType: mediaType,
      contentRange: `bytes ${start}-${end - 1}/${bytes.length}`,
      bytes: bytes.subarray(start, end)
    })))
  })

  it('ranges that ask for more than all of it get all of it once', async () => {
    const answer = await read(subjects[kind], { range: 'bytes=0-,0-,0-' })
    expect(answer.statusCode).toBe(200)
    expect(answer.rawPayload).toEqual(subjects[kind].bytes)
  })

  it('If-Range with the right tag leaves the range in force', async () => {
    const answer = await read(subjects[kind], { range: 'bytes=1-2', 'if-range': `"${subjects[kind].digest}"` })
    expect(answer.statusCode).toBe(206)
    expect(answer.rawPayload).toEqual(subjects[kind].bytes.subarray(1, 3))
  })

  it.each([`"${OTHER_DIGEST}"`, 'Sat, 21 Nov 2026 07:28:00 GMT', 'nonsense'])('If-Range: %s makes it the whole', async ifRange => {
    const answer = await read(subjects[kind], { range: 'bytes=1-2', 'if-range': ifRange })
    expect(answer.statusCode).toBe(200)
    expect(answer.rawPayload).toEqual(subjects[kind].bytes)
  })

  it('a weak tag in If-Range makes it the whole', async () => {
    expect((await read(subjects[kind], { range: 'bytes=1-2', 'if-range': `W/"${subjects[kind].digest}"` })).statusCode).toBe(200)
  })

  it('HEAD pays no heed to ranges', async () => {
    for (const range of ['bytes=1-2', 'bytes=99999-', 'bytes=0-1,3-4']) {
      const answer = await read(subjects[kind], { range }, 'HEAD')
      expect(answer.statusCode).toBe(200)
      expect(answer.headers).toMatchObject({ 'content-length': String(subjects[kind].bytes.length), 'content-type': subjects[kind].mediaType })
      expect(answer.headers).not.toHaveProperty('content-range')
      expect(answer.rawPayload).toHaveLength(0)
    }
  })
})

describe('ranges of an empty blob', () => {
  it.each(['bytes=0-', 'bytes=0-0', 'bytes=5-9'])('%s cannot be satisfied', async range => {
    const answer = await read({ path: `blobs/${empty}`, digest: empty }, { range })
    expect(answer.statusCode).toBe(416)
    expect(answer.headers['content-range']).toBe('bytes */0')
  })

  it.each([undefined, 'bytes=-5', 'lines=0-'])('%s is the whole of it', async range => {
    const answer = await read({ path: `blobs/${empty}`, digest: empty }, range === undefined ? {} : { range })
    expect(answer.statusCode).toBe(200)
    expect(answer.headers['content-length']).toBe('0')
    expect(answer.rawPayload).toHaveLength(0)
  })
})

describe('a blob of unknown length', () => {
  it('is sent in whole, and promises no ranges', async () => {
    const bytes = seededBytes(300_000, 'without a length')
    const digest = agent.origin.addBlob(REPOSITORY, bytes, { size: null })
    const answer = await agent.app.inject({ url: `/v2/${NAME}/blobs/${digest}`, headers: { range: 'bytes=1-2' } })
    expect(answer.statusCode).toBe(200)
    expect(answer.rawPayload.equals(bytes)).toBe(true)
    expect(answer.headers).not.toHaveProperty('accept-ranges')
    expect(answer.headers).not.toHaveProperty('content-length')
  })
})

/** What one range of a request means, told independently of the code under test. */
function spanOf (spec: string, size: number): { start: number, end: number } {
  if (spec.startsWith('-')) return { start: size - Number(spec.slice(1)), end: size }
  const [first, last] = spec.split('-')
  return { start: Number(first), end: last === '' ? size : Number(last) + 1 }
}
