import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { AddressError } from './node-error.ts'

/** Names of multiaddr components that lead to a TCP port. */
const HOSTS = ['ip4', 'ip6', 'dns', 'dns4', 'dns6']

/** @throws AddressError */
export function parseListenAddress (text: string): Multiaddr {
  const address = parse(text)
  const names = address.getComponents().map(component => component.name)
  if (names.length !== 2 || !HOSTS.includes(names[0] ?? '') || names[1] !== 'tcp') {
    throw new AddressError(text, 'to listen on, it must be like /ip4/0.0.0.0/tcp/5001')
  }
  return address
}

/** The address of a peer, with or without `/p2p/<id>`. @throws AddressError */
export function parsePeerAddress (text: string): Multiaddr {
  const address = parse(text)
  const names = address.getComponents().map(component => component.name).filter(name => name !== 'ip6zone')
  const isDialable = names[0] === 'dnsaddr' || (HOSTS.includes(names[0] ?? '') && names[1] === 'tcp')
  if (!isDialable) throw new AddressError(text, 'of a peer, it must be like /ip4/10.0.0.1/tcp/5001 or /dns4/host/tcp/5001/p2p/<peer id>')
  return address
}

/** The peer id at the end of the address, in text form. */
export function peerOf (address: Multiaddr): string | undefined {
  return address.getComponents().findLast(component => component.name === 'p2p')?.value
}

function parse (text: string): Multiaddr {
  try {
    return multiaddr(text)
  } catch (error) {
    throw new AddressError(text, error instanceof Error ? error.message : String(error), { cause: error })
  }
}
