import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatDuration, parseDuration } from '../../../agent/config/duration.ts'
import { formatListenAddress, parseListenAddress } from '../../../agent/config/listen-address.ts'
import { formatRate, parseRate } from '../../../agent/config/rate.ts'
import { isDialMultiaddr, isListenMultiaddr } from '../../../agent/config/multiaddr-text.ts'
import { nearestName } from '../../../agent/config/nearest.ts'

const PEER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'

describe('a duration', () => {
  it.each([['0', 0], ['500ms', 500], ['1.5s', 1500], ['30s', 30_000], ['5m', 300_000], ['1h', 3_600_000]])('%s is %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it.each(['', '1', '1 s', '-1s', '1d', '1e3s', 's', '597h', '1S', '٣s', '1.s'])('%j is none', text => {
    expect(parseDuration(text)).toBeUndefined()
  })

  it('is read as it was written', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 2 ** 31 - 1 }), ms => { expect(parseDuration(formatDuration(ms))).toBe(ms) }))
  })
})

describe('a rate', () => {
  it.each([
    ['20MB/s', 20_000_000], ['500KB/s', 500_000], ['500kB/s', 500_000], ['1MiB/s', 1_048_576], ['80Mbit/s', 10_000_000], ['1.5GB/s', 1_500_000_000],
    ['2048B/s', 2048], ['2KiB/s', 2048], ['1Gbit/s', 125_000_000], ['1GiB/s', 1_073_741_824], ['8kbit/s', 1000], ['1000GB/s', 1e12]
  ])('%s is %i bytes a second', (text, bytesPerSecond) => {
    expect(parseRate(text)).toBe(bytesPerSecond)
  })

  it.each(['', '0', '20', '20MB', '20 MB/s', '20MBps', '20Mb/s', '20mb/s', '20mB/s', '-1MB/s', '1e3KB/s', '0MB/s', '999B/s', '1001GB/s', '.5MB/s', '1,5MB/s', '20MB/min', '1toString/s'])('%j is none', text => {
    expect(parseRate(text)).toBeUndefined()
  })

  it('is read as it was written', () => {
    fc.assert(fc.property(fc.oneof(fc.integer({ min: 1000, max: 1e9 }), fc.integer({ min: 1, max: 1e6 }).map(mebibytes => mebibytes * 2 ** 20 % 1e12 + 1000)), bytesPerSecond => {
      expect(parseRate(formatRate(bytesPerSecond))).toBe(bytesPerSecond)
    }))
    expect([20_000_000, 1_048_576, 1_500_000, 1001].map(formatRate)).toEqual(['20MB/s', '1MiB/s', '1500KB/s', '1001B/s'])
  })
})

describe('a listen address', () => {
  it.each([['127.0.0.1:5000', '127.0.0.1', 5000], ['[::1]:5000', '::1', 5000], ['localhost:0', 'localhost', 0], ['0.0.0.0:65535', '0.0.0.0', 65535]])('%s', (text, host, port) => {
    expect(parseListenAddress(text)).toEqual({ host, port })
    expect(formatListenAddress({ host, port })).toBe(text)
  })

  it.each(['', '5000', ':5000', '::1:5000', '[127.0.0.1]:1', '127.0.0.1', '127.0.0.1:', '127.0.0.1:65536', '300.1.1.1:1', 'a b:1', 'http://x:1', '[::1]', 'x:-1'])('%j is none', text => {
    expect(parseListenAddress(text)).toBeUndefined()
  })
})

describe('a multiaddr', () => {
  it.each(['/ip4/1.2.3.4/tcp/1', '/ip6/::/tcp/0', `/dns4/a.example/tcp/5001/p2p/${PEER}`, `/dnsaddr/a.example/p2p/${PEER}`, '/dns/a/tcp/1'])('%s can be dialled', text => {
    expect(isDialMultiaddr(text)).toBe(true)
  })

  it.each(['', '/', 'ip4/1.2.3.4/tcp/1', '/ip4/1.2.3/tcp/1', '/ip4/::1/tcp/1', '/ip4/1.2.3.4', '/ip4/1.2.3.4/udp/1', '/ip4/1.2.3.4/tcp/1/', '/ip4/1.2.3.4/tcp/99999', '/ip4/1.2.3.4/tcp/1/p2p/x', '/dnsaddr/a/tcp/1'])('%j can\'t be dialled', text => {
    expect(isDialMultiaddr(text)).toBe(false)
  })

  it('to listen on is an address without a peer or a name', () => {
    expect(isListenMultiaddr('/ip6/::/tcp/0')).toBe(true)
    expect(isListenMultiaddr('/dns4/a.example/tcp/1')).toBe(false)
    expect(isListenMultiaddr(`/ip4/0.0.0.0/tcp/1/p2p/${PEER}`)).toBe(false)
  })
})

describe('the nearest name', () => {
  const known = ['http', 'tagTtl', 'bootstrap', 'logLevel', 'logFormat']

  it.each([['htp', 'http'], ['tag-ttl', 'tagTtl'], ['TAG_TTL', 'tagTtl'], ['bootstap', 'bootstrap'], ['loglevl', 'logLevel'], ['boot', 'bootstrap']])('to %s is %s', (name, nearest) => {
    expect(nearestName(name, known)).toBe(nearest)
  })

  it('of something else is none', () => {
    expect(nearestName('completely-different', known)).toBeUndefined()
  })
})
