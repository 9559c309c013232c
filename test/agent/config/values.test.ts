import { describe, expect, it } from 'vitest'
import { formatListenAddress, parseListenAddress } from '../../../agent/config/listen-address.ts'
import { isDialMultiaddr, isListenMultiaddr } from '../../../agent/config/multiaddr-text.ts'

const PEER = '12D3KooWJWoaqZhDaoEFshF7Rh1bpY9ohihFhzcW6d69Lr2NASuq'

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
