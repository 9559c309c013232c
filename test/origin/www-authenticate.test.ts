import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseChallenges } from '../../src/origin/www-authenticate.ts'

function read (header: string | readonly string[] | undefined): Array<[string, Record<string, string>]> {
  return parseChallenges(header).map(({ scheme, parameters }) => [scheme, Object.fromEntries(parameters)])
}

test.each<[string, Array<[string, Record<string, string>]>]>([
  ['Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"', [['bearer', { realm: 'https://auth.docker.io/token', service: 'registry.docker.io', scope: 'repository:a/b:pull,push' }]]],
  ['Basic realm="a, b", Bearer realm="https://x/token", service="y"', [['basic', { realm: 'a, b' }], ['bearer', { realm: 'https://x/token', service: 'y' }]]],
  ['Basic', [['basic', {}]]],
  ['Negotiate, Basic realm=x', [['negotiate', {}], ['basic', { realm: 'x' }]]],
  ['Negotiate YWJj=, Basic realm=x', [['negotiate', {}], ['basic', { realm: 'x' }]]],
  ['BEARER Realm = "https://x" , Service=y', [['bearer', { realm: 'https://x', service: 'y' }]]],
  ['Bearer realm="say \\"hi\\" \\\\ there"', [['bearer', { realm: 'say "hi" \\ there' }]]],
  ['Bearer realm="first",realm="second"', [['bearer', { realm: 'first' }]]],
  ['Newauth realm="apps", type=1, title="Login to \\"apps\\"", Basic realm="simple"', [['newauth', { realm: 'apps', type: '1', title: 'Login to "apps"' }], ['basic', { realm: 'simple' }]]],
  [',, Basic realm="x",,', [['basic', { realm: 'x' }]]],
  ['Bearer realm=', [['bearer', {}]]],
  ['Bearer realm="unclosed', [['bearer', {}]]],
  ['"nonsense"', []],
  ['', []]
])('reads %j', (header, expected) => {
  expect(read(header).slice(0, expected.length)).toEqual(expected)
})

test('reads no header and several headers', () => {
  expect(read(undefined)).toEqual([])
  expect(read(['Basic realm="a"', 'Bearer realm="b"'])).toEqual([['basic', { realm: 'a' }], ['bearer', { realm: 'b' }]])
})

test('reads back whatever challenges are written', () => {
  const token = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/)
  const parameters = fc.dictionary(token, fc.string({ unit: 'binary-ascii' }).filter(text => !/[\r\n]/.test(text)), { minKeys: 1, maxKeys: 4, noNullPrototype: true })
  fc.assert(fc.property(fc.array(fc.tuple(token, parameters), { minLength: 1, maxLength: 4 }), challenges => {
    const header = challenges.map(([scheme, all]) => `${scheme} ${Object.entries(all).map(([name, value]) => `${name}="${value.replace(/[\\"]/g, '\\$&')}"`).join(',')}`).join(', ')
    fc.pre(header.length < 8000)
    expect(read(header)).toEqual(challenges)
  }))
})

test('ends, and never throws, on any text', () => {
  fc.assert(fc.property(fc.string({ unit: fc.constantFrom(...'Bearer ="\\,;\tx='), maxLength: 300 }), text => {
    parseChallenges(text)
  }))
})
