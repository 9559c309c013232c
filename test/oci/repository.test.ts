import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { OciError } from '../../src/oci/oci-error.ts'
import { isRegistryHost, isRepositoryName } from '../../src/oci/reference.ts'
import { isRequestName, repositoryKey, resolveRepository } from '../../src/oci/repository.ts'
import { registryHosts, repositoryNames } from './arbitraries.ts'

describe('resolveRepository', () => {
  it.each([
    ['alpine', undefined, 'docker.io/library/alpine'],
    ['team/app', undefined, 'docker.io/team/app'],
    ['ghcr.io/team/app', undefined, 'ghcr.io/team/app'],
    ['docker.io/alpine', undefined, 'docker.io/library/alpine'],
    ['index.docker.io/team/app', undefined, 'docker.io/team/app'],
    ['registry-1.docker.io/alpine', undefined, 'docker.io/library/alpine'],
    ['localhost/app', undefined, 'localhost/app'],
    ['localhost_5000_/app', undefined, 'localhost:5000/app'],
    ['host_5000_/team/app', undefined, 'host:5000/team/app'],
    ['127.0.0.1_15000_/team/app', undefined, '127.0.0.1:15000/team/app'],
    ['host:5000/team/app', undefined, 'host:5000/team/app'],
    ['foo.bar', undefined, 'docker.io/library/foo.bar'],
    ['alpine', 'docker.io', 'docker.io/library/alpine'],
    ['library/alpine', 'docker.io', 'docker.io/library/alpine'],
    ['alpine', 'registry-1.docker.io', 'docker.io/library/alpine'],
    ['team/app', 'GHCR.io', 'ghcr.io/team/app'],
    ['app', 'ghcr.io', 'ghcr.io/app'],
    ['app', 'reg.test:5000', 'reg.test:5000/app'],
    ['quay.io/app', 'ghcr.io', 'ghcr.io/quay.io/app']
  ])('takes %s with ns %s for %s', (name, ns, key) => {
    expect(repositoryKey(resolveRepository(name, ns))).toBe(key)
  })

  it('uses the default registry where the name carries none', () => {
    expect(resolveRepository('app', undefined, { defaultRegistry: 'ghcr.io' })).toEqual({ registry: 'ghcr.io', name: 'app' })
    expect(resolveRepository('quay.io/app', undefined, { defaultRegistry: 'ghcr.io' })).toEqual({ registry: 'quay.io', name: 'app' })
  })

  it.each([
    ['app', ''], ['app', 'a b'], ['app', 'http://ghcr.io'], ['app', 'ghcr.io/x'], ['app', 'user@host'], ['app', '../..'], ['app', 'host:0'], ['app', 'host\0'],
    ['App', 'ghcr.io'], ['a..b/c', undefined], ['host_5000_', undefined], ['host_99999_/app', undefined], ['host_5000_/../app', undefined], ['a__b.c/app', undefined], ['', undefined]
  ])('refuses %j with ns %j', (name, ns) => {
    expect(() => resolveRepository(name, ns)).toThrow(expect.objectContaining({ code: 'NAME_INVALID', status: 400 }))
  })

  it('finds the same repository by ns and by path', () => {
    const hosts = registryHosts.filter(host => !host.startsWith('['))
    fc.assert(fc.property(hosts, repositoryNames, (host, name) => {
      const inPath = `${host.replace(/:(\d+)$/, '_$1_')}/${name}`
      expect(isRequestName(inPath)).toBe(true)
      expect(resolveRepository(inPath)).toEqual(resolveRepository(name, host))
    }))
  })

  it('yields legal hosts and names only, and throws nothing but OciError', () => {
    const texts = fc.oneof(fc.string(), fc.stringMatching(/^[a-z0-9._:/-]{0,30}$/))
    fc.assert(fc.property(texts, fc.option(texts, { nil: undefined }), (name, ns) => {
      try {
        const repository = resolveRepository(name, ns)
        expect(isRegistryHost(repository.registry)).toBe(true)
        expect(isRepositoryName(repository.name)).toBe(true)
      } catch (error) {
        if (!(error instanceof OciError)) throw error
      }
    }))
  })
})
