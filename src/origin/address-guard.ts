import { lookup as systemLookup, type LookupAddress } from 'node:dns'
import type { LookupFunction } from 'node:net'
import ipaddr from 'ipaddr.js'

/**
 * Who may be connected to.
 * - `any`: a host that the configuration names;
 * - `private`: where a configured host sends us: also private networks and this machine, but no link-local or metadata address;
 * - `public`: where strangers' words send us: public addresses under a name only.
 */
export type Reach = 'any' | 'private' | 'public'

/** Where cloud providers hand out credentials, when it is not link-local. */
const METADATA_ADDRESSES: ReadonlySet<string> = new Set(['fd00:ec2::254', '100.100.100.200', '168.63.129.16', '192.0.0.192'])
const PRIVATE_RANGES: ReadonlySet<string> = new Set(['private', 'loopback', 'uniqueLocal', 'carrierGradeNat'])
const GLOBAL_UNICAST = ipaddr.IPv6.parse('2000::')
const GLOBAL_UNICAST_BITS = 3
/** Carries an IPv4 address: what counts is where that one leads. */
const NAT64 = ipaddr.IPv6.parse('64:ff9b::')
const NAT64_BITS = 96

/** An address that the guard does not let us connect to. */
export class AddressRefusedError extends Error {
  constructor (host: string, reason: string) {
    super(`${host} is refused: ${reason}`)
    this.name = 'AddressRefusedError'
  }
}

/** The reason to refuse an address, or undefined. */
export function refusalOfAddress (address: string, reach: Reach): string | undefined {
  if (reach === 'any') return undefined
  if (!ipaddr.isValid(address)) return 'not an IP address'
  const parsed = embeddedIPv4(ipaddr.process(address))
  const range = rangeOf(parsed)
  if (METADATA_ADDRESSES.has(parsed.toString())) return 'a metadata address'
  if (range === 'unicast') return undefined
  return reach === 'private' && PRIVATE_RANGES.has(range) ? undefined : `${range} addresses are not allowed here`
}

/**
 * Checks the host of a URL before anything is sent to it. Names pass: their addresses are checked when they are looked up.
 * @throws AddressRefusedError
 */
export function guardHost (hostname: string, reach: Reach): void {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (!ipaddr.isValid(host)) return
  const reason = reach === 'public' ? 'an IP address is allowed as a host only where the configuration names it' : refusalOfAddress(host, reach)
  if (reason !== undefined) throw new AddressRefusedError(host, reason)
}

/**
 * A DNS lookup for `net.connect` that lets only allowed addresses through. The connection is made to the very
 * addresses checked here, so a name that changes its address in between (DNS rebinding) gains nothing.
 */
export function guardedLookup (reach: Reach, lookup: typeof systemLookup = systemLookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error !== null) return callback(error, '')
      const allowed = found.filter(({ address }) => refusalOfAddress(address, reach) === undefined)
      const [first] = allowed
      if (first === undefined) {
        return callback(new AddressRefusedError(hostname, reasonFor(found, reach)), '')
      }
      if (options.all === true) callback(null, allowed)
      else callback(null, first.address, first.family)
    })
  }
}

function reasonFor (found: readonly LookupAddress[], reach: Reach): string {
  const address = found[0]?.address
  return address === undefined ? 'it has no address' : `its address is ${address}, and ${refusalOfAddress(address, reach)}`
}

function rangeOf (address: ipaddr.IPv4 | ipaddr.IPv6): string {
  const range = address.range()
  const isStray = range === 'unicast' && address instanceof ipaddr.IPv6 && !address.match(GLOBAL_UNICAST, GLOBAL_UNICAST_BITS)
  return isStray ? 'unassigned' : range
}

function embeddedIPv4 (address: ipaddr.IPv4 | ipaddr.IPv6): ipaddr.IPv4 | ipaddr.IPv6 {
  if (!(address instanceof ipaddr.IPv6)) return address
  const bytes = address.toByteArray()
  if (address.match(NAT64, NAT64_BITS)) return new ipaddr.IPv4(bytes.slice(12))
  if (address.range() === '6to4') return new ipaddr.IPv4(bytes.slice(2, 6))
  return address
}
