import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { digestOf } from '../../../src/oci/digest.ts'
import { MEDIA_TYPES } from '../../../src/oci/media-types.ts'
import { RawConnection } from './raw-connection.ts'
import { createTestAgent, manifestBytes, NAME, REPOSITORY, type TestAgent } from './test-agent.ts'

const DIGEST = digestOf(Buffer.from('content'))
const LONG = 'a'.repeat(10_000)

let agent: TestAgent
/** Writes paths as they are; clients of the language put them in order first. */
let connection: RawConnection

beforeAll(async () => {
  agent = createTestAgent()
  connection = await RawConnection.open(await agent.listen())
})

afterAll(async () => {
  connection.close()
  await agent.close()
})

describe('a path that is no repository\'s', () => {
  it.each([
    [`/v2/reg.test%2fteam/app/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/reg.test%2Fteam%2Fapp/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}/blobs%2f${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/../../etc/passwd/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}/../../blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/%2e%2e/%2e%2e/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/a/%252e%252e/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2//team/app/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/team//app/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/team/app//blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}%00/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}%0d%0aX-Evil:1/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}%5c..%5c/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}/blobs/%zz`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}/blobs/%`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}%c3%a4/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/Team/App/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${LONG}/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${'a/'.repeat(900)}blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/blobs/${DIGEST}`, 400, 'NAME_INVALID'],
    [`/v2/${NAME}/blobs/sha256:${'A'.repeat(64)}`, 400, 'DIGEST_INVALID'],
    [`/v2/${NAME}/blobs/sha256:${'a'.repeat(63)}`, 400, 'DIGEST_INVALID'],
    [`/v2/${NAME}/blobs/sha256:${'a'.repeat(65)}`, 400, 'DIGEST_INVALID'],
    [`/v2/${NAME}/blobs/md5:${'a'.repeat(32)}`, 400, 'DIGEST_INVALID'],
    [`/v2/${NAME}/blobs/latest`, 400, 'DIGEST_INVALID'],
    [`/v2/${NAME}/blobs/`, 400, 'DIGEST_INVALID'],
    [`/v2/${NAME}/manifests/sha256:1`, 400, 'DIGEST_INVALID'],
    [`/v2/${NAME}/manifests/${'t'.repeat(129)}`, 404, 'MANIFEST_UNKNOWN'],
    [`/v2/${NAME}/manifests/-t`, 404, 'MANIFEST_UNKNOWN'],
    [`/v2/${NAME}/manifests/`, 404, 'MANIFEST_UNKNOWN'],
    [`/v2/${NAME}/blobs/uploads/`, 404, 'BLOB_UPLOAD_UNKNOWN'],
    [`/v2/${NAME}/blobs/uploads/1`, 404, 'BLOB_UPLOAD_UNKNOWN'],
    [`/v2/${NAME}/tags`, 404, 'UNSUPPORTED'],
    [`/v2/${NAME}/unknown/thing`, 404, 'UNSUPPORTED'],
    ['/v2/_catalog', 404, 'UNSUPPORTED'],
    ['/v1/repositories/app/images', 404, 'UNSUPPORTED'],
    ['/v22/', 404, 'UNSUPPORTED'],
    ['/%zz', 400, 'UNSUPPORTED']
  ].map(row => [...row, String(row[0]).slice(0, 100)]) as Array<[string, number, string, string]>)('$3', async (url, status, code) => {
    for (const method of ['GET', 'HEAD']) {
      connection.request(url, {}, method)
      const { status: found, headers, body } = await connection.answer({ hasBody: method === 'GET' })
      expect(found).toBe(status)
      expect(headers.get('docker-distribution-api-version')).toBe('registry/2.0')
      expect(headers.get('content-type')).toBe('application/json')
      expect(headers.has('x-evil')).toBe(false)
      if (method === 'GET') expect(JSON.parse(body.toString())).toEqual({ errors: [expect.objectContaining({ code })] })
    }
    expect(agent.origin.requests).toEqual([])
    expect(agent.defects).toEqual([])
  })
})

describe('a query that makes no sense', () => {
  beforeAll(() => { agent.origin.addManifest(REPOSITORY, manifestBytes([]), MEDIA_TYPES.ociManifest, '1') })

  it.each(['n=-1', 'n=1.5', 'n=x', 'n=0x10', 'n=1e3', 'n=%20', 'n=%zz'])('tags/list?%s is 400', async query => {
    const answer = await agent.app.inject({ url: `/v2/${NAME}/tags/list?${query}` })
    expect(answer.statusCode).toBe(400)
    expect(answer.json()).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] })
  })

  it.each(['n=999999999999', 'n=', 'last=', 'n=5&n=0', 'last=%00', `last=${'z'.repeat(1000)}`, '&&&', 'x=y'])('tags/list?%s is a list', async query => {
    const answer = await agent.app.inject({ url: `/v2/${NAME}/tags/list?${query}` })
    expect(answer.statusCode).toBe(200)
  })
})

describe('other methods', () => {
  it.each(['TRACE', 'PROPFIND', 'LOCK'])('%s reaches nothing', async method => {
    const answer = await agent.app.inject({ method: method as 'GET', url: '/v2/' })
    expect(answer.statusCode).toBe(404)
    expect(answer.headers['docker-distribution-api-version']).toBe('registry/2.0')
  })
})
