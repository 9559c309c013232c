import { expect, test } from 'vitest'
import { registryEndpoint } from '../../src/origin/registry-config.ts'

test.each([
  ['docker.io', undefined, 'https://registry-1.docker.io/', '', 'docker.io', 'public', 'public'],
  ['ghcr.io', undefined, 'https://ghcr.io/', '', 'ghcr.io', 'public', 'public'],
  ['ghcr.io', {}, 'https://ghcr.io/', '', 'ghcr.io', 'any', 'private'],
  ['registry.lan:5000', { url: 'http://registry.lan:5000' }, 'http://registry.lan:5000/', '', 'registry.lan:5000', 'any', 'private'],
  ['ghcr.io', { url: 'https://harbor.example/proxy-ghcr/' }, 'https://harbor.example/', 'proxy-ghcr/', 'harbor.example', 'any', 'private'],
  ['ghcr.io', { url: 'https://harbor.example//a//b' }, 'https://harbor.example/', 'a/b/', 'harbor.example', 'any', 'private'],
  ['docker.io', { url: 'http://127.0.0.1:5009', allowPrivate: false }, 'http://127.0.0.1:5009/', '', '127.0.0.1:5009', 'any', 'public']
])('the registry %s with %j is at %s behind %j, with the credentials of %s', (registry, config, url, prefix, credentialHost, ownReach, foreignReach) => {
  const endpoint = registryEndpoint(registry, config)
  expect(endpoint).toMatchObject({ registry, prefix, credentialHost, ownReach, foreignReach })
  expect(endpoint.url.href).toBe(url)
})

test.each(['ftp://x', 'nonsense', 'https://user:word@x', 'https://x/?a=b', 'https://x/#a'])('the URL %s is ORIGIN_FORBIDDEN', url => {
  expect(() => registryEndpoint('registry.example', { url })).toThrow(expect.objectContaining({ code: 'ORIGIN_FORBIDDEN' }))
})
