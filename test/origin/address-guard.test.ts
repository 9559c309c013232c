import type { lookup as systemLookup, LookupAddress } from 'node:dns'
import { describe, expect, test } from 'vitest'
import { guardedLookup, guardHost, refusalOfAddress } from '../../src/origin/address-guard.ts'
import { noCredentials } from '../../src/origin/credentials.ts'
import { failureOf, fixedCredential, makeOrigin, REPOSITORY, startZoo, startZooOrigin } from './zoo-origin.ts'

const PRIVATE = ['127.0.0.1', '127.8.8.8', '::1', '10.1.2.3', '172.16.0.1', '192.168.1.1', '100.64.1.1', 'fd12:3456::1', '::ffff:127.0.0.1', '::ffff:10.0.0.1', '64:ff9b::10.0.0.1', '2002:0a00:0001::1', '::127.0.0.1']
const NEVER = ['169.254.169.254', '169.254.1.1', 'fe80::1', '224.0.0.1', 'ff02::1', '0.0.0.0', '::', '255.255.255.255', '240.0.0.1', '192.0.0.192', 'fd00:ec2::254', '100.100.100.200', '::ffff:169.254.169.254', '64:ff9b::169.254.169.254', 'fec0::1', '::2', 'not an address']
const PUBLIC = ['1.1.1.1', '8.8.8.8', '172.32.0.1', '2606:4700::1111', '64:ff9b::1.1.1.1']

describe('an address', () => {
  test.each(PRIVATE)('%s is refused to strangers\' words, allowed to what is configured', address => {
    expect(refusalOfAddress(address, 'public')).toBeTypeOf('string')
    expect(refusalOfAddress(address, 'private')).toBeUndefined()
    expect(refusalOfAddress(address, 'any')).toBeUndefined()
  })

  test.each(NEVER)('%s is never a target of redirects', address => {
    expect(refusalOfAddress(address, 'public')).toBeTypeOf('string')
    expect(refusalOfAddress(address, 'private')).toBeTypeOf('string')
  })

  test.each(PUBLIC)('%s is public', address => {
    expect(refusalOfAddress(address, 'public')).toBeUndefined()
    expect(refusalOfAddress(address, 'private')).toBeUndefined()
  })
})

describe('a host', () => {
  test.each([...PUBLIC, ...PRIVATE])('%s, an address, is no public host', address => {
    expect(() => { guardHost(address.includes(':') ? `[${address}]` : address, 'public') }).toThrow(/is refused/)
  })

  test('that is a name passes until its addresses are known', () => {
    expect(() => { guardHost('registry.example', 'public') }).not.toThrow()
  })
})

describe('a guarded lookup', () => {
  const resolvingTo = (...addresses: string[]): typeof systemLookup =>
    ((_name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => {
      callback(null, addresses.map(address => ({ address, family: address.includes(':') ? 6 : 4 })))
    }) as unknown as typeof systemLookup

  async function addressesOf (lookup: typeof systemLookup, all = true): Promise<unknown> {
    return new Promise((resolve, reject) => {
      guardedLookup('public', lookup)('registry.example', { all }, (error, found) => {
        if (error === null) resolve(found)
        else reject(error)
      })
    })
  }

  test('lets only allowed addresses through', async () => {
    expect(await addressesOf(resolvingTo('10.0.0.1', '1.1.1.1', '::1', '2606:4700::1111'))).toEqual([{ address: '1.1.1.1', family: 4 }, { address: '2606:4700::1111', family: 6 }])
    expect(await addressesOf(resolvingTo('10.0.0.1', '1.1.1.1'), false)).toBe('1.1.1.1')
  })

  test('fails when none is left', async () => {
    await expect(addressesOf(resolvingTo('10.0.0.1', 'fe80::1'))).rejects.toThrow('registry.example is refused: its address is 10.0.0.1')
    await expect(addressesOf(resolvingTo())).rejects.toThrow('no address')
  })
})

describe('a registry that the configuration does not name', () => {
  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '[::1]', '1.1.1.1', '2130706433', '0x7f000001', '127.1'])('is not asked at %s', async host => {
    const origin = makeOrigin({ credentials: noCredentials }, {})
    expect((await failureOf(origin.resolve({ ...REPOSITORY, registry: host }, '1'))).code).toBe('ORIGIN_FORBIDDEN')
  })

  test.each(['user@host', 'host/path', 'host?x', 'host#x', '', 'a b', '-'])('is not asked at %j, which is no host', async registry => {
    const origin = makeOrigin({ credentials: noCredentials }, {})
    expect((await failureOf(origin.resolve({ ...REPOSITORY, registry }, '1'))).code).toBe('ORIGIN_FORBIDDEN')
  })

  test('is not asked when its name leads to this machine, not even for a connection', async () => {
    const zoo = await startZoo()
    const origin = makeOrigin({ credentials: noCredentials }, {})
    const error = await failureOf(origin.resolve({ ...REPOSITORY, registry: `localhost:${zoo.port}` }, '1'))
    expect(error.code).toBe('ORIGIN_FORBIDDEN')
    expect(error.message).toContain('loopback')
    expect(zoo.connections).toBe(0)
  })

  test('is asked at the address that was checked: a name that changes in between gains nothing', async () => {
    const zoo = await startZoo()
    let lookups = 0
    const rebinding = ((_name: string, _options: object, callback: (error: null, found: LookupAddress[]) => void) => {
      lookups++
      callback(null, [{ address: lookups === 1 ? '127.0.0.1' : '1.1.1.1', family: 4 }])
    }) as unknown as typeof systemLookup
    const origin = makeOrigin({ credentials: noCredentials, lookup: rebinding }, {})
    expect((await failureOf(origin.resolve({ ...REPOSITORY, registry: `rebinding.example:${zoo.port}` }, '1'))).code).toBe('ORIGIN_FORBIDDEN')
    expect(lookups).toBe(1)
    expect(zoo.connections).toBe(0)
  })
})

describe('a registry that the configuration names', () => {
  test('may send us to this machine, but not when it is told to stay public', async () => {
    const store = await startZoo()
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: `${store.url}/` } })
    await origin.resolve(REPOSITORY, '1')
    const strict = makeOrigin({ credentials: noCredentials }, { [REPOSITORY.registry]: { url: zoo.url, allowPrivate: false } })
    expect((await failureOf(strict.resolve(REPOSITORY, '1'))).code).toBe('ORIGIN_FORBIDDEN')
    expect(store.requests).toHaveLength(1)
  })

  test('may not send us to a metadata address', async () => {
    const { zoo, origin } = await startZooOrigin()
    zoo.behave({ deed: { type: 'redirect', to: 'http://169.254.169.254/latest/meta-data/' } })
    expect((await failureOf(origin.resolve(REPOSITORY, '1'))).code).toBe('ORIGIN_FORBIDDEN')
  })

  test('may not send us there for a token', async () => {
    const { origin } = await startZooOrigin({
      credentials: fixedCredential({ type: 'password', username: 'ada', password: 'x' }),
      config: { realms: ['169.254.169.254'] },
      zoo: { auth: { type: 'bearer', users: {}, realm: 'http://169.254.169.254/token' } }
    })
    expect((await failureOf(origin.resolve(REPOSITORY, '1'))).code).toBe('ORIGIN_FORBIDDEN')
  })
})
