import { describe, expect, test } from 'vitest'
import { BodyStream } from '../../src/origin/body-stream.ts'
import type { Credential } from '../../src/origin/credentials.ts'
import { noLog } from '../../src/origin/origin-log.ts'
import { DEFAULT_TIMEOUTS } from '../../src/origin/origin-timeouts.ts'
import { RegistryAuth } from '../../src/origin/registry-auth.ts'
import { registryEndpoint, type RegistryConfig } from '../../src/origin/registry-config.ts'
import { RegistryHttp } from '../../src/origin/registry-http.ts'
import { TokenCache } from '../../src/origin/token-cache.ts'
import type { HttpRequest, HttpResponse } from '../../src/origin/http-exchange.ts'
import { StandInController } from './stand-in-controller.ts'
import { failureOf, fixedCredential } from './zoo-origin.ts'

const ada: Credential = { type: 'password', username: 'ada', password: 'password' }
const NAME = 'team/app'
const signal = new AbortController().signal

/** Token servers on the open internet cannot be had in a test: this one answers in place of every host. */
function start (registry: string, config?: RegistryConfig): { auth: RegistryAuth, asked: HttpRequest[] } {
  const asked: HttpRequest[] = []
  const send = async (request: HttpRequest): Promise<HttpResponse> => {
    asked.push(request)
    const body = new BodyStream(new StandInController(), { firstByteMs: 1000, stallMs: 1000 })
    body.push(Buffer.from(JSON.stringify({ token: `token-${asked.length}` })))
    body.end()
    return { status: 200, url: request.url, headers: { get: () => undefined }, body }
  }
  const now = (): number => 0
  const http = new RegistryHttp({ transport: { send }, now, wallClock: now, random: () => 0, log: noLog }, registry, DEFAULT_TIMEOUTS)
  const components = { http, credentials: fixedCredential(ada), tokens: new TokenCache(now), now, log: noLog }
  return { asked, auth: new RegistryAuth(components, registryEndpoint(registry, config), { timeouts: DEFAULT_TIMEOUTS, userAgent: 'shoal' }) }
}

function challenge (realm: string): { status: number, headers: { get: (name: string) => string | undefined } } {
  return { status: 401, headers: { get: name => name === 'www-authenticate' ? `Bearer realm="${realm}",service="s"` : undefined } }
}

describe('a realm of another domain', () => {
  const refusal = challenge('https://tokens.elsewhere.example/token')

  test('is asked for an anonymous token, at a public address only, and never for one with credentials', async () => {
    const { auth, asked } = start('registry.example', {})
    const anonymous = await auth.next(NAME, await auth.begin(NAME, signal), refusal, signal)
    expect(anonymous).toEqual({ level: 'anonymous', authorization: 'Bearer token-1' })
    expect(asked[0]).toMatchObject({ reach: 'public' })
    expect(asked[0]?.headers).not.toHaveProperty('authorization')
    expect((await failureOf(auth.next(NAME, anonymous ?? { level: 'none' }, refusal, signal))).code).toBe('ORIGIN_FORBIDDEN')
    expect(asked).toHaveLength(1)
  })

  test('does not turn a 404 into ORIGIN_FORBIDDEN', async () => {
    const { auth } = start('registry.example')
    const anonymous = await auth.next(NAME, { level: 'none' }, refusal, signal)
    expect(await auth.next(NAME, anonymous ?? { level: 'none' }, { ...refusal, status: 404 }, signal)).toBeUndefined()
  })

  test('gets credentials when it is allow-listed', async () => {
    const { auth, asked } = start('registry.example', { realms: ['tokens.elsewhere.example'] })
    expect(await auth.next(NAME, { level: 'anonymous' }, refusal, signal)).toMatchObject({ level: 'credential' })
    expect(asked[0]?.headers.authorization).toMatch(/^Basic /)
  })
})

describe('a realm of the registry\'s domain', () => {
  test('gets credentials, and stays public for a registry that is not configured', async () => {
    const { auth, asked } = start('docker.io')
    expect(await auth.next(NAME, { level: 'anonymous' }, challenge('https://auth.docker.io/token'), signal)).toMatchObject({ level: 'credential' })
    expect(asked[0]).toMatchObject({ reach: 'public' })
    expect(asked[0]?.url.href).toBe('https://auth.docker.io/token?service=s&scope=repository%3Ateam%2Fapp%3Apull&account=ada')
  })
})

test.each(['http://registry.example/token', 'ftp://registry.example/token'])('the realm %s of an https registry is ORIGIN_FORBIDDEN, whoever asks', async realm => {
  const { auth, asked } = start('registry.example')
  expect((await failureOf(auth.next(NAME, { level: 'none' }, challenge(realm), signal))).code).toBe('ORIGIN_FORBIDDEN')
  expect(asked).toHaveLength(0)
})

test.each(['Negotiate', 'Bearer realm="no URL"', ''])('the challenge %j leads nowhere', async header => {
  const { auth } = start('registry.example')
  expect(await auth.next(NAME, { level: 'none' }, { status: 401, headers: { get: () => header } }, signal)).toBeUndefined()
})
