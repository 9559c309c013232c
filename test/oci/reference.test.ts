import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseDigest } from '../../src/oci/digest.ts'
import { OciError } from '../../src/oci/oci-error.ts'
import { formatReference, isRegistryHost, isRepositoryName, isTag, parseReference } from '../../src/oci/reference.ts'
import { digests, registryHosts, repositoryNames, tags } from './arbitraries.ts'

const DIGEST = parseDigest(`sha256:${'a'.repeat(64)}`)

describe('parseReference', () => {
  it.each([
    ['alpine', 'docker.io/library/alpine:latest'],
    ['alpine:3.20', 'docker.io/library/alpine:3.20'],
    ['team/app', 'docker.io/team/app:latest'],
    ['docker.io/alpine', 'docker.io/library/alpine:latest'],
    ['index.docker.io/team/app:1', 'docker.io/team/app:1'],
    ['registry-1.docker.io/alpine:1', 'docker.io/library/alpine:1'],
    ['ghcr.io/org/team/app:v1.0', 'ghcr.io/org/team/app:v1.0'],
    ['ghcr.io/app', 'ghcr.io/app:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:1', 'localhost:5000/app:1'],
    ['localhost:5000', 'docker.io/library/localhost:5000'],
    ['host:5000/app', 'host:5000/app:latest'],
    ['[::1]:5000/app:1', '[::1]:5000/app:1'],
    ['Registry/app', 'registry/app:latest'],
    ['GHCR.io/app', 'ghcr.io/app:latest'],
    [`app@${DIGEST}`, `docker.io/library/app@${DIGEST}`],
    [`ghcr.io/app:1@${DIGEST}`, `ghcr.io/app:1@${DIGEST}`],
    ['foo.bar', 'docker.io/library/foo.bar:latest']
  ])('reads %s as %s', (text, full) => {
    expect(formatReference(parseReference(text))).toBe(full)
  })

  it('adds the default registry, and library/ only at Docker Hub', () => {
    expect(parseReference('app:1', { defaultRegistry: 'ghcr.io' })).toEqual({ registry: 'ghcr.io', repository: 'app', tag: '1' })
    expect(parseReference('app', { defaultRegistry: 'index.docker.io' })).toEqual({ registry: 'docker.io', repository: 'library/app', tag: 'latest' })
  })

  it('gives no tag to a reference by digest', () => {
    expect(parseReference(`app@${DIGEST}`)).toEqual({ registry: 'docker.io', repository: 'library/app', digest: DIGEST })
  })

  it.each([
    ['', 'NAME_INVALID'], [' alpine', 'NAME_INVALID'], ['Alpine', 'NAME_INVALID'], ['a//b', 'NAME_INVALID'], ['/a', 'NAME_INVALID'], ['a/', 'NAME_INVALID'],
    ['a/../b', 'NAME_INVALID'], ['-a', 'NAME_INVALID'], ['a_', 'NAME_INVALID'], ['a___b', 'NAME_INVALID'], ['ghcr.io/', 'NAME_INVALID'], ['a..b/c', 'NAME_INVALID'],
    ['host:99999/a', 'NAME_INVALID'], ['host:/a', 'NAME_INVALID'], ['[::zz]/a', 'NAME_INVALID'], ['http://ghcr.io/a', 'NAME_INVALID'], ['a'.repeat(300), 'NAME_INVALID'],
    ['0'.repeat(64), 'NAME_INVALID'], ['a:', 'TAG_INVALID'], ['a:.b', 'TAG_INVALID'], [`a:${'b'.repeat(129)}`, 'TAG_INVALID'], ['a:b:c', 'TAG_INVALID'],
    ['a@', 'DIGEST_INVALID'], ['a@sha256:00', 'DIGEST_INVALID'], [`a@${DIGEST}:tag`, 'DIGEST_INVALID']
  ])('refuses %j with %s', (text, code) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code, status: 400 }))
  })

  it('reads back every reference it formats', () => {
    const references = fc.tuple(registryHosts, repositoryNames, fc.option(tags), fc.option(digests)).map(([registry, repository, tag, digest]) => ({
      registry,
      repository,
      ...(tag === null ? digest === null ? { tag: 'latest' } : {} : { tag }),
      ...(digest === null ? {} : { digest })
    }))
    fc.assert(fc.property(references, reference => {
      expect(parseReference(formatReference(reference))).toEqual(reference)
    }))
  })

  it('throws nothing but OciError, and what it reads is legal', () => {
    fc.assert(fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[a-zA-Z0-9._:@/[\]-]{0,40}$/)), text => {
      try {
        const { registry, repository, tag, digest } = parseReference(text)
        expect(isRegistryHost(registry)).toBe(true)
        expect(isRepositoryName(repository)).toBe(true)
        expect(tag === undefined ? digest !== undefined : isTag(tag)).toBe(true)
      } catch (error) {
        if (!(error instanceof OciError)) throw error
      }
    }))
  })
})

describe('the grammar of names', () => {
  it('knows repository names, up to 255 characters', () => {
    fc.assert(fc.property(repositoryNames, name => { expect(isRepositoryName(name)).toBe(true) }))
    expect(isRepositoryName('a'.repeat(255))).toBe(true)
    expect(isRepositoryName('a'.repeat(256))).toBe(false)
  })

  it.each(['', '/', 'a/', 'a//b', 'A', 'a.', '.a', 'a..b', 'a___b', 'a_-b', 'a b', 'a\n', 'ä', 'a:1', 'a/_b'])('refuses %j as a repository name', name => {
    expect(isRepositoryName(name)).toBe(false)
  })

  it('knows tags, up to 128 characters', () => {
    for (const tag of ['latest', '_x', '1.0-rc.1', 'A', 'a'.repeat(128)]) expect(isTag(tag)).toBe(true)
    for (const tag of ['', '.a', '-a', 'a:b', 'a/b', 'a b', 'a\n', 'a'.repeat(129)]) expect(isTag(tag)).toBe(false)
  })

  it('knows hosts of registries', () => {
    for (const host of ['ghcr.io', 'a', 'xn--bcher-kva.example', '127.0.0.1:1', 'host:65535', '[::1]', '[::ffff:1.2.3.4]:443']) expect(isRegistryHost(host), host).toBe(true)
    const wrong = ['', '.', 'a.', '.a', 'a..b', '-a', 'a-', 'a_b', 'a/b', 'a:', 'a:0', 'a:65536', 'a:b', 'a:1:2', 'a@b', 'a b', 'a\n', '[]', '[::1', '::1', '[1.2.3.4]', '[fe80::1%25eth0]', 'a'.repeat(64), 'a.'.repeat(130) + 'a']
    for (const host of wrong) expect(isRegistryHost(host), host).toBe(false)
  })

  it('decides on hostile text in time that grows no faster than the text', () => {
    const hostile = ['a-'.repeat(100_000), 'a'.repeat(200_000) + '!', '['.repeat(200_000), '-'.repeat(200_000), 'a/'.repeat(100_000), ':'.repeat(200_000)]
    const started = performance.now()
    for (const text of hostile) {
      isRepositoryName(text)
      isTag(text)
      isRegistryHost(text)
      expect(() => parseReference(text)).toThrow(OciError)
    }
    expect(performance.now() - started).toBeLessThan(2000)
  })
})
