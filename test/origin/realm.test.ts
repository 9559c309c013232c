import { expect, test } from 'vitest'
import { judgeRealm, type RealmVerdict } from '../../src/origin/realm.ts'

test.each<[string, string, string[], RealmVerdict]>([
  // registry, realm, allow-listed
  ['https://registry-1.docker.io', 'https://auth.docker.io/token', [], 'trusted'],
  ['https://ghcr.io', 'https://ghcr.io/token', [], 'trusted'],
  ['https://registry.gitlab.com', 'https://gitlab.com/jwt/auth', [], 'trusted'],
  ['https://harbor.example.co.uk:8443', 'https://harbor.example.co.uk/service/token', [], 'trusted'],
  ['https://one.co.uk', 'https://two.co.uk/token', [], 'anonymous'],
  ['https://one.github.io', 'https://two.github.io/token', [], 'anonymous'],
  ['https://one.s3.amazonaws.com', 'https://two.s3.amazonaws.com/token', [], 'anonymous'],
  ['https://registry.example.com', 'https://auth.example.org/token', [], 'anonymous'],
  ['https://registry.example.com', 'https://auth.example.org/token', ['auth.example.org'], 'trusted'],
  ['https://registry.example.com', 'https://auth.example.org:444/token', ['auth.example.org:444'], 'trusted'],
  ['https://registry.example.com', 'https://auth.example.org:445/token', ['auth.example.org:444'], 'anonymous'],
  ['https://registry.example.com', 'https://example.com.evil.org/token', [], 'anonymous'],
  ['https://registry.example.com', 'http://registry.example.com/token', [], 'forbidden'],
  ['https://registry.example.com', 'http://auth.example.com/token', ['auth.example.com'], 'forbidden'],
  ['https://registry.example.com', 'ftp://registry.example.com/token', [], 'forbidden'],
  ['http://127.0.0.1:5000', 'http://127.0.0.1:5001/token', [], 'trusted'],
  ['http://127.0.0.1:5000', 'http://127.0.0.2:5001/token', [], 'forbidden'],
  ['http://registry.lan', 'http://auth.lan/token', [], 'forbidden'],
  ['http://registry.lan', 'http://auth.lan/token', ['auth.lan'], 'trusted'],
  ['https://10.0.0.1', 'https://10.0.0.2/token', [], 'anonymous'],
  ['https://localhost:5000', 'https://localhost:5001/token', [], 'trusted']
])('the registry %s and the realm %s (allow-listed %j): %s', (registry, realm, allowedRealms, verdict) => {
  const registryUrl = new URL(registry)
  expect(judgeRealm(new URL(realm), { registryUrl, isHttpConfigured: registryUrl.protocol === 'http:', allowedRealms })).toBe(verdict)
})
