import { describe, expect, test } from 'vitest'
import { readDockerConfig, searchDockerConfig } from '../../src/origin/docker-config.ts'

const auth = (text: string): { auth: string } => ({ auth: Buffer.from(text).toString('base64') })
const search = (document: object, host: string, path: string) => searchDockerConfig(readDockerConfig(JSON.stringify(document)), { host, path })
const password = (username: string, secret: string) => ({ type: 'credential', credential: { type: 'password', username, password: secret } })

describe('a Docker configuration', () => {
  test('holds user and password in base64, with colons in the password', () => {
    expect(search({ auths: { 'ghcr.io': auth('ada:a:b') } }, 'ghcr.io', 'x/y')).toEqual(password('ada', 'a:b'))
  })

  test.each([
    ['https://index.docker.io/v1/', 'docker.io'],
    ['index.docker.io', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['https://Registry.Example:5000/v2/', 'registry.example:5000'],
    ['http://registry.example/', 'registry.example']
  ])('may write a host as %s', (key, host) => {
    expect(search({ auths: { [key]: auth('ada:x') } }, host, 'library/alpine')).toEqual(password('ada', 'x'))
  })

  test('holds credentials for a part of a registry: the longest key wins, by whole components', () => {
    const document = { auths: { 'ghcr.io': auth('host:x'), 'ghcr.io/team': auth('team:x'), 'ghcr.io/team/app': auth('app:x') } }
    expect(search(document, 'ghcr.io', 'team/app')).toEqual(password('app', 'x'))
    expect(search(document, 'ghcr.io', 'team/app/sub')).toEqual(password('app', 'x'))
    expect(search(document, 'ghcr.io', 'team/application')).toEqual(password('team', 'x'))
    expect(search(document, 'ghcr.io', 'teams/app')).toEqual(password('host', 'x'))
    expect(search(document, 'quay.io', 'team/app')).toBeUndefined()
  })

  test('names helpers for hosts, and a store for all others', () => {
    const document = { credHelpers: { 'gcr.io': 'gcloud' }, credsStore: 'desktop', auths: { 'ghcr.io': {}, 'quay.io': auth('ada:x'), 'gcr.io/team': auth('team:x') } }
    expect(search(document, 'gcr.io', 'x')).toEqual({ type: 'helper', helper: 'gcloud' })
    expect(search(document, 'gcr.io', 'team/app')).toEqual(password('team', 'x'))
    expect(search(document, 'ghcr.io', 'x')).toEqual({ type: 'helper', helper: 'desktop' })
    expect(search(document, 'quay.io', 'x')).toEqual(password('ada', 'x'))
  })

  test('holds identity tokens, which win over the password beside them', () => {
    expect(search({ auths: { 'azurecr.io': { ...auth('00000000-0000-0000-0000-000000000000:'), identitytoken: 'refresh' } } }, 'azurecr.io', 'x')).toEqual({ type: 'credential', credential: { type: 'identity-token', token: 'refresh' } })
  })

  test.each([{ auths: { 'ghcr.io': { auth: 'no colon in here' } } }, { auths: { 'ghcr.io': auth(':x') } }, { auths: [] }, { auths: null }, { auths: { 'ghcr.io': 'x' } }, {}])('%j holds nothing', document => {
    expect(search(document, 'ghcr.io', 'x')).toBeUndefined()
  })

  test.each(['{"auths":{"ghcr.io":{"auth":"c2VjcmV0"', 'null', '[]', ''])('%j cannot be read, and the reason quotes none of it', text => {
    expect(() => readDockerConfig(text)).toThrow(/^not (a )?JSON( object)?$/)
  })
})
