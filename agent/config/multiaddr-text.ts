import { isIPv4, isIPv6 } from 'node:net'
import { isHostName, parsePort } from './listen-address.ts'

const PEER_ID = /^[1-9A-HJ-NP-Za-km-z]{40,64}$/

/**
 * Whether the text is a multiaddr an agent can be reached by: `/ip4|ip6|dns|dns4|dns6/HOST/tcp/PORT`, perhaps with `/p2p/PEERID`, or `/dnsaddr/HOST`.
 * The network room parses it for good; this check exists to name the configuration key.
 */
export function isDialMultiaddr (text: string): boolean {
  const parts = text.split('/')
  if (parts.length >= 4 && parts.at(-2) === 'p2p') {
    if (!PEER_ID.test(parts.at(-1) ?? '')) return false
    parts.splice(-2)
  }
  const [before, kind = '', host = '', ...rest] = parts
  if (before !== '') return false
  if (kind === 'dnsaddr') return isHostName(host) && rest.length === 0
  return isHost(kind, host) && isTcp(rest)
}

/** Whether the text is a multiaddr to listen on: `/ip4|ip6/ADDRESS/tcp/PORT`; port 0: any free one. */
export function isListenMultiaddr (text: string): boolean {
  const [before, kind = '', host = '', ...rest] = text.split('/')
  return before === '' && (kind === 'ip4' || kind === 'ip6') && isHost(kind, host) && isTcp(rest)
}

function isHost (kind: string, host: string): boolean {
  if (kind === 'ip4') return isIPv4(host)
  if (kind === 'ip6') return isIPv6(host)
  return (kind === 'dns' || kind === 'dns4' || kind === 'dns6') && isHostName(host)
}

function isTcp ([protocol, port = '', ...more]: string[]): boolean {
  return protocol === 'tcp' && parsePort(port) !== undefined && more.length === 0
}
