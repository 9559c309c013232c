import { beforeAll, describe, expect, test } from 'vitest'
import { makeAuthority, makeCertificate, type TestCertificate } from '../support/certificates.ts'
import { noCredentials } from '../../src/origin/credentials.ts'
import type { RegistryConfig } from '../../src/origin/registry-config.ts'
import type { RegistryOrigin } from '../../src/origin/registry-origin.ts'
import type { RegistryZoo } from '../support/registry-zoo.ts'
import { failureOf, image, makeOrigin, REPOSITORY, startZoo } from './zoo-origin.ts'

let authority: TestCertificate
let server: TestCertificate
let client: TestCertificate

beforeAll(async () => {
  authority = await makeAuthority()
  server = await makeCertificate(authority)
  client = await makeCertificate(authority, { names: ['agent'], isClient: true })
})

async function start (config: RegistryConfig, clientCa?: string): Promise<{ zoo: RegistryZoo, origin: RegistryOrigin }> {
  const zoo = await startZoo({ tls: { ...server, ...(clientCa === undefined ? {} : { clientCa }) } })
  return { zoo, origin: makeOrigin({ credentials: noCredentials, random: () => 0 }, { [REPOSITORY.registry]: { url: zoo.url, ...config } }) }
}

describe('a registry with a certificate', () => {
  test('of an own authority is trusted by that authority', async () => {
    const { origin } = await start({ ca: authority.cert })
    expect((await origin.manifest(REPOSITORY, '1')).digest).toBe(image.index.digest)
  })

  test('of an unknown authority is ORIGIN_UNAVAILABLE, tried once', async () => {
    const { zoo, origin } = await start({})
    const error = await failureOf(origin.manifest(REPOSITORY, '1'))
    expect(error.code).toBe('ORIGIN_UNAVAILABLE')
    expect(error.message).toMatch(/certificate/)
    expect(zoo.connections).toBe(1)
  })

  test.each([
    ['authority', { ca: '-----BEGIN CERTIFICATE-----\nbm9uZQ==\n-----END CERTIFICATE-----\n' }],
    ['certificate', { cert: 'no PEM', key: 'no PEM' }]
  ])('is ORIGIN_UNAVAILABLE when our own %s cannot be read', async (_, config) => {
    const { zoo, origin } = await start(config)
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).code).toBe('ORIGIN_UNAVAILABLE')
    expect(zoo.requests).toHaveLength(0)
  })

  test('for another name is ORIGIN_UNAVAILABLE', async () => {
    const other = await makeCertificate(authority, { names: ['other.test'] })
    const zoo = await startZoo({ tls: other })
    const origin = makeOrigin({ credentials: noCredentials }, { [REPOSITORY.registry]: { url: zoo.url.replace('127.0.0.1', 'localhost'), ca: authority.cert } })
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).message).toMatch(/altnames/)
  })

  test('that wants one of ours gets it, and what it gives is restricted', async () => {
    const { origin } = await start({ ca: authority.cert, cert: client.cert, key: client.key }, authority.cert)
    expect((await origin.manifest(REPOSITORY, '1')).access).toBe('restricted')
  })

  test('that wants one of ours and gets none is ORIGIN_UNAVAILABLE', async () => {
    const { zoo, origin } = await start({ ca: authority.cert }, authority.cert)
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).code).toBe('ORIGIN_UNAVAILABLE')
    expect(zoo.requests).toHaveLength(0)
  })

  test('that redirects to plain http is ORIGIN_FORBIDDEN', async () => {
    const plain = await startZoo()
    const { zoo, origin } = await start({ ca: authority.cert })
    zoo.behave({ deed: { type: 'redirect', to: `${plain.url}/` } })
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).code).toBe('ORIGIN_FORBIDDEN')
    expect(plain.connections).toBe(0)
  })

  test('shows our certificate to no host that it redirects to', async () => {
    const store = await startZoo({ tls: { ...server, clientCa: authority.cert } })
    const { zoo, origin } = await start({ ca: authority.cert, cert: client.cert, key: client.key }, authority.cert)
    zoo.behave({ deed: { type: 'redirect', to: `${store.url.replace('127.0.0.1', 'localhost')}/` } })
    expect((await failureOf(origin.manifest(REPOSITORY, '1'))).code).toBe('ORIGIN_UNAVAILABLE')
    expect(store.requests).toHaveLength(0)
  })
})
