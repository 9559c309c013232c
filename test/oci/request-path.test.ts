import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDigest } from '../../src/oci/digest.ts'
import { OciError } from '../../src/oci/oci-error.ts'
import { isRequestName } from '../../src/oci/repository.ts'
import { parseRequestPath } from '../../src/oci/request-path.ts'
import { digests, repositoryNames, tags } from './arbitraries.ts'

const DIGEST = parseDigest(`sha256:${'ab'.repeat(32)}`)
const LONG = parseDigest(`sha512:${'ab'.repeat(64)}`)
const ENCODED = DIGEST.replace(':', '%3A')

describe('parseRequestPath', () => {
  it.each([
    ['/v2', { kind: 'base' }],
    ['/v2/', { kind: 'base' }],
    ['/v2/app/manifests/latest', { kind: 'manifest', name: 'app', tag: 'latest' }],
    ['/v2/app/manifests/1..2', { kind: 'manifest', name: 'app', tag: '1..2' }],
    [`/v2/team/app/manifests/${DIGEST}`, { kind: 'manifest', name: 'team/app', digest: DIGEST }],
    [`/v2/team/app/blobs/${DIGEST}`, { kind: 'blob', name: 'team/app', digest: DIGEST }],
    [`/v2/team/app/blobs/${LONG}`, { kind: 'blob', name: 'team/app', digest: LONG }],
    [`/v2/app/blobs/${ENCODED}`, { kind: 'blob', name: 'app', digest: DIGEST }],
    [`/v2/app/manifests/${ENCODED.toLowerCase()}`, { kind: 'manifest', name: 'app', digest: DIGEST }],
    [`/v2/%61pp/blobs/${DIGEST}`, { kind: 'blob', name: 'app', digest: DIGEST }],
    ['/v2/app/tags/list', { kind: 'tags', name: 'app' }],
    [`/v2/app/referrers/${DIGEST}`, { kind: 'referrers', name: 'app', digest: DIGEST }],
    ['/v2/app/blobs/uploads', { kind: 'uploads', name: 'app' }],
    ['/v2/app/blobs/uploads/', { kind: 'uploads', name: 'app' }],
    ['/v2/app/blobs/uploads/0b5a-11', { kind: 'uploads', name: 'app' }],
    ['/v2/localhost_5000_/app/manifests/1', { kind: 'manifest', name: 'localhost_5000_/app', tag: '1' }],
    ['/v2/host:5000/app/manifests/1', { kind: 'manifest', name: 'host:5000/app', tag: '1' }],
    ['/v2/host%3A5000/app/manifests/1', { kind: 'manifest', name: 'host:5000/app', tag: '1' }],
    ['/v2/a/manifests/b/manifests/1', { kind: 'manifest', name: 'a/manifests/b', tag: '1' }],
    [`/v2/a/blobs/manifests/blobs/${DIGEST}`, { kind: 'blob', name: 'a/blobs/manifests', digest: DIGEST }],
    ['/v2/a/blobs/uploads/manifests/1', { kind: 'manifest', name: 'a/blobs/uploads', tag: '1' }],
    ['/v2/a/tags/list/tags/list', { kind: 'tags', name: 'a/tags/list' }],
    ['/v2/manifests/manifests/manifests', { kind: 'manifest', name: 'manifests', tag: 'manifests' }]
  ])('reads %s', (path, request) => {
    expect(parseRequestPath(path)).toEqual(request)
  })

  it.each([
    ['/v2/app/manifests/.INVALID_MANIFEST_NAME', 404, 'MANIFEST_UNKNOWN'],
    [`/v2/app/manifests/${'a'.repeat(129)}`, 404, 'MANIFEST_UNKNOWN'],
    ['/v2/app/manifests/', 404, 'MANIFEST_UNKNOWN'],
    ['/v2/app/manifests/a/b', 404, 'MANIFEST_UNKNOWN'],
    ['/v2/app/manifests/a b', 404, 'MANIFEST_UNKNOWN'],
    ['/v2/app/manifests/sha256:00', 400, 'DIGEST_INVALID'],
    ['/v2/app/manifests/md5:d41d8cd98f00b204e9800998ecf8427e', 400, 'DIGEST_INVALID'],
    ['/v2/app/blobs/', 400, 'DIGEST_INVALID'],
    ['/v2/app/blobs/latest', 400, 'DIGEST_INVALID'],
    [`/v2/app/blobs/${DIGEST.toUpperCase()}`, 400, 'DIGEST_INVALID'],
    [`/v2/app/blobs/${DIGEST}/x`, 400, 'DIGEST_INVALID'],
    ['/v2/app/referrers/x', 400, 'DIGEST_INVALID'],
    ['/v2/manifests/latest', 400, 'NAME_INVALID'],
    ['/v2/App/manifests/1', 400, 'NAME_INVALID'],
    ['/v2/a_/manifests/1', 400, 'NAME_INVALID'],
    ['/v2/a/host:5000/manifests/1', 400, 'NAME_INVALID'],
    [`/v2/${'a'.repeat(256)}/manifests/1`, 400, 'NAME_INVALID'],
    [`/v2/${'a/'.repeat(5000)}manifests/1`, 400, 'NAME_INVALID'],
    ['/', 404, 'UNSUPPORTED'],
    ['', 404, 'UNSUPPORTED'],
    ['*', 404, 'UNSUPPORTED'],
    ['/v1/', 404, 'UNSUPPORTED'],
    ['/v22', 404, 'UNSUPPORTED'],
    ['//v2/', 404, 'UNSUPPORTED'],
    ['http://host/v2/', 404, 'UNSUPPORTED'],
    ['/v2/_catalog', 404, 'UNSUPPORTED'],
    ['/v2/app', 404, 'UNSUPPORTED'],
    ['/v2/manifests/a/b', 404, 'UNSUPPORTED'],
    ['/v2/app/tags/list/', 404, 'UNSUPPORTED'],
    ['/v2/app/tags', 404, 'UNSUPPORTED']
  ])('answers %s with %i %s', (path, status, code) => {
    expect(() => parseRequestPath(path)).toThrow(expect.objectContaining({ code, status }))
  })

  it.each([
    '/v2/a%2fb/manifests/1', '/v2/a%2Fb/manifests/1', '/v2/%2e%2e/manifests/1', '/v2/../manifests/1', '/v2/a/../../etc/manifests/1', '/v2/./manifests/1',
    '/v2/a//manifests/1', '/v2//', '/v2//a/manifests/1', '/v2/a/manifests//1', '/v2/a\\b/manifests/1', '/v2/a%5cb/manifests/1', '/v2/a\0/manifests/1', '/v2/a%00/manifests/1',
    '/v2/a/manifests/..', '/v2/a/manifests/%2e%2e', '/v2/a/manifests/%', '/v2/a/manifests/%3', '/v2/a/manifests/%zz', '/v2/a/manifests/%253A', '/v2/a/manifests/%C3%A9',
    '/v2/a/manifests/x\ny', '/v2/a/blobs/uploads/../x', '/v2/a%2eb/manifests/1', '/v2/a/manifests/x\\y', `/v2/a/blobs/uploads/${'a'.repeat(3000)}`, '/v2/a/blobs/%2e'
  ])('refuses %j before looking further', path => {
    expect(() => parseRequestPath(path)).toThrow(expect.objectContaining({ code: 'NAME_INVALID', status: 400 }))
  })

  it('reads back every path a client builds', () => {
    fc.assert(fc.property(repositoryNames, digests, tags, (name, digest, tag) => {
      expect(parseRequestPath(`/v2/${name}/manifests/${tag}`)).toEqual({ kind: 'manifest', name, tag })
      expect(parseRequestPath(`/v2/${name}/manifests/${digest}`)).toEqual({ kind: 'manifest', name, digest })
      expect(parseRequestPath(`/v2/${name}/blobs/${encodeURIComponent(digest)}`)).toEqual({ kind: 'blob', name, digest })
      expect(parseRequestPath(`/v2/${name}/referrers/${digest}`)).toEqual({ kind: 'referrers', name, digest })
      expect(parseRequestPath(`/v2/${name}/tags/list`)).toEqual({ kind: 'tags', name })
    }))
  })

  it('throws nothing but OciError below 500, and yields legal names only', () => {
    const fragments = fc.constantFrom('/', '..', '.', '%2e', '%2F', '%00', 'manifests', 'blobs', 'uploads', 'tags', 'list', 'referrers', 'a', 'host_5000_', 'host:1', DIGEST, ENCODED, '%', '//', '\\', 'A', '_')
    const nearlyRight = fc.tuple(fc.array(fragments, { minLength: 1, maxLength: 2 }).map(list => list.join('/')), fc.constantFrom('manifests', 'blobs', 'tags', 'referrers'), fragments).map(parts => parts.join('/'))
    const paths = fc.oneof(nearlyRight, fc.string(), fc.string({ unit: 'binary' }), fc.array(fragments, { maxLength: 10 }).map(list => list.join('')), fc.array(fragments, { maxLength: 6 }).map(list => list.join('/')))
    let read = 0
    fc.assert(fc.property(paths, rest => {
      try {
        const request = parseRequestPath(`/v2/${rest}`)
        if (request.kind === 'base') return
        read++
        expect(isRequestName(request.name)).toBe(true)
        expect(request.name).not.toMatch(/\.\.|\/\/|%|\\|^\/|\/$/)
      } catch (error) {
        if (!(error instanceof OciError)) throw error
        expect(error.status).toBeLessThan(500)
      }
    }), { numRuns: 3000 })
    expect(read).toBeGreaterThan(0)
  })
})
