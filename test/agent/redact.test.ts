import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { redactFields } from '../../agent/redact-fields.ts'
import { redactText } from '../../agent/redact.ts'

const SECRET = 'hunter2SECRETvalue'

describe('text', () => {
  it.each([
    `Authorization: Basic ${SECRET}==`,
    `authorization: bearer ${SECRET}`,
    `{"authorization":"Bearer ${SECRET}","host":"x"}`,
    `proxy-authorization=Negotiate ${SECRET}`,
    `header 'Bearer ${SECRET}' refused`,
    `https://me:${SECRET}@registry.example/v2/`,
    `https://${SECRET}@registry.example/v2/`,
    `https://me:a/${SECRET}@registry.example/v2/`,
    `https://me:a@${SECRET}@registry.example/v2/`,
    `GET https://s3.example/blob?X-Amz-Algorithm=A&X-Amz-Signature=${SECRET}&x=1 failed`,
    `https://blob.core.example/x?sv=1&sig=${SECRET}`,
    `location /blobs/sha256:abc?token=${SECRET}`,
    `location /blobs/sha256:abc?se=2026&x=${SECRET}`,
    `https://x.example/path#access_token=${SECRET}`,
    `redirect to "https://x.example/?${SECRET}"`,
    `{"token":"${SECRET}","expires_in":60}`,
    `{\\"access_token\\":\\"${SECRET}\\"}`,
    `{"password" : "a\\"${SECRET}"}`,
    `{\\"password\\":\\"a\\\\\\"${SECRET}\\",\\"b\\":1}`,
    `{"secret":"cut off ${SECRET}`,
    `password=${SECRET}`,
    `REGISTRY_PASSWORD=${SECRET} x`,
    `client_secret=${SECRET}&grant_type=password`,
    `x-amz-security-token: ${SECRET}`,
    `refresh_token='${SECRET}'`,
    `"auth": "${SECRET}"`,
    `"identitytoken":"${SECRET}"`,
    `Set-Cookie: session=a b; other=${SECRET}`,
    `eyJhbGciOiJSUzI1NiJ9.${SECRET}.${SECRET}`,
    `ghp_${SECRET}`,
    `-----BEGIN RSA PRIVATE KEY-----\n${SECRET}\n-----END RSA PRIVATE KEY-----`,
    `-----BEGIN PRIVATE KEY-----\\n${SECRET}`,
    `/key/swarm/psk/1.0.0/\n/base16/\n${SECRET}`
  ])('loses the secret of %j', text => {
    expect(redactText(text)).not.toContain(SECRET)
    expect(redactText(text)).toContain('[redacted]')
  })

  it.each([
    'GET https://registry.example:5000/v2/library/alpine/manifests/3.20 took 12 ms',
    '/ip4/192.0.2.1/tcp/5001/p2p/12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq',
    'ghcr.io/org/app@sha256:0123456789ab: not found? try again',
    'https://registry.example/v2/app@sha256:0123456789ab',
    'Bearer realm="https://auth.example/token",service="registry"',
    'the author signed it',
    'passwordFile: /etc/shoal/pw'
  ])('without a secret stays as it is: %j', text => {
    expect(redactText(text)).toBe(text)
  })

  it('keeps what surrounds a secret', () => {
    expect(redactText('GET https://me:pw@r.example/v2/?ns=a 401 after 3 ms')).toBe('GET https://[redacted]@r.example/v2/?[redacted] 401 after 3 ms')
  })

  it('redacted twice is redacted once', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), text => { expect(redactText(redactText(text))).toBe(redactText(text)) }))
  })

  it('that is long and hostile takes no long time', () => {
    for (const text of ['a-'.repeat(50_000), 'token'.repeat(20_000), 'https://'.repeat(10_000), '?a='.repeat(30_000), '\\"'.repeat(50_000), '-----BEGIN PRIVATE KEY-----'.repeat(3000), 'Bearer '.repeat(10_000), '/key/swarm/psk/1.0.0/'.repeat(5000)]) {
      const startedAt = performance.now()
      redactText(text)
      expect(performance.now() - startedAt).toBeLessThan(1500)
    }
  })
})

describe('fields', () => {
  it('with a secret name are emptied, whatever they hold and however deep', () => {
    const value = { a: [{ Authorization: SECRET, 'x-registry-auth': SECRET, b: { clientSecret: { deep: SECRET }, registryToken: [SECRET], pwd: 4711, cookie: SECRET } }] }
    expect(JSON.stringify(redactFields(value))).not.toMatch(/hunter2|4711/)
  })

  it('in header lists of either shape are emptied', () => {
    expect(redactFields({ headers: ['host', 'a', 'authorization', SECRET] })).toEqual({ headers: ['host', 'a', 'authorization', '[redacted]'] })
    expect(redactFields({ headers: [['Cookie', SECRET], ['host', 'a']] })).toEqual({ headers: [['Cookie', '[redacted]'], ['host', 'a']] })
  })

  it('that say whether there is a secret stay', () => {
    expect(redactFields({ password: true, token: null })).toEqual({ password: true, token: null })
  })

  it('lose secrets in their names too', () => {
    expect(JSON.stringify(redactFields({ [`https://a:${SECRET}@b/`]: 1 }))).not.toContain(SECRET)
  })

  it('of bytes are counted', () => {
    expect(redactFields(JSON.parse(JSON.stringify({ a: Buffer.from('abc'), b: new Uint8Array(2) })))).toEqual({ a: '[3 bytes]', b: '[2 bytes]' })
  })

  it('named digest are cut to 12 hex', () => {
    const digest = `sha256:${'0123456789abcdef'.repeat(4)}`
    expect(redactFields({ digest, other: digest })).toEqual({ digest: '0123456789ab', other: digest })
  })

  it('deeper than anything of ours are left out', () => {
    let value: unknown = SECRET
    for (let i = 0; i < 100; i++) value = { value }
    expect(JSON.stringify(redactFields(value))).toMatch(/\[too deep\]/)
  })
})
