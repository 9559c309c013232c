import { isIP } from 'node:net'
import { z } from 'zod'
import { formatDuration, parseDuration } from '../../src/values/duration.ts'
import { formatRate, parseRate } from '../../src/values/rate.ts'
import { formatDirectAddress, parseDirectAddress } from './direct-address.ts'
import { formatListenAddress, isHostName, parseListenAddress } from './listen-address.ts'
import { isDialMultiaddr, isListenMultiaddr } from './multiaddr-text.ts'

const ZONE = /^[\x21-\x7e]{1,64}$/
/** Base58btc of an Ed25519 key's protobuf in an identity multihash: 38 bytes, the first six always the same. */
const PEER_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/

/** What the printer and the loader must know of a value's type. */
interface ValueMeta {
  /** From the parsed value back to the text a person writes. */
  readonly format?: (value: never) => string
  /** A file or directory: taken as relative to where it was written. */
  readonly isPath?: true
}

/** Types of values by schema. */
export const valueTypes = z.registry<ValueMeta>()

/** Milliseconds. */
export type Milliseconds = number
/** Bytes per second. */
export type Rate = number

/**
 * A text that `decode` understands. The issue's message is what is allowed, to follow "expected":
 * the loader writes the sentence around it.
 */
function decoded<T> (allowed: string, decode: (text: string) => T | undefined) {
  return z.string({ error: allowed }).transform((text, context): T => {
    const value = decode(text)
    if (value !== undefined) return value
    context.issues.push({ code: 'custom', input: text, message: allowed })
    return z.NEVER
  })
}

function checked (allowed: string, isAllowed: (text: string) => boolean) {
  return z.string({ error: allowed }).refine(isAllowed, { error: allowed })
}

/** `500ms`, `30s`, `5m`, `1h` → milliseconds, above 0 unless `zero` says what 0 means. */
export function duration (zero?: string) {
  const allowed = `a duration such as 500ms, 30s, 5m or 1h, at most 596h${zero === undefined ? ', above 0' : ` (0: ${zero})`}`
  return decoded<Milliseconds>(allowed, text => {
    const ms = Math.round(parseDuration(text) ?? NaN)
    return Number.isNaN(ms) || (ms === 0 && zero === undefined) ? undefined : ms
  }).register(valueTypes, { format: formatDuration })
}

/** `20MB/s`, `500KB/s`, `1MiB/s`, `80Mbit/s` → bytes per second. */
export function rate () {
  return decoded<Rate>('a rate such as 20MB/s, 500KB/s, 1MiB/s (bytes) or 80Mbit/s (bits), from 1KB/s to 1000GB/s', parseRate)
    .register(valueTypes, { format: formatRate })
}

/** `HOST:PORT` → host and port. */
export function listenAddress () {
  return decoded('HOST:PORT such as 127.0.0.1:5000 or [::1]:5000 (port 0: any free port)', parseListenAddress)
    .register(valueTypes, { format: formatListenAddress })
}

/** `HOST:PORT` → host and port, or `off`. */
export function directAddress () {
  return decoded('HOST:PORT such as 0.0.0.0:5002 or [::]:5002 (port 0: any free port), or off', parseDirectAddress)
    .register(valueTypes, { format: formatDirectAddress })
}

/** A label that all members of a zone bear. */
export function zoneName () {
  return checked('a label of 1 to 64 printable ASCII characters without spaces, such as rack-7', text => ZONE.test(text))
}

/** Another agent's public name. */
export function peerId () {
  return checked('a peer id such as 12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN (shoal status prints an agent\'s)', text => PEER_ID.test(text))
}

/** A file or directory, `~/` allowed. */
export function path (what: string) {
  return checked(`the path of ${what}`, isPath).register(valueTypes, { isPath: true })
}

/** A file that holds a key. One who pastes the key itself is told, and does not see it again. */
export function keyFile (what: string) {
  return checked(`the path of ${what}, not the key itself`, text => isPath(text) && !/^[0-9a-f]{64}$/i.test(text))
    .register(valueTypes, { isPath: true })
}

export function listenMultiaddr () {
  return checked('a multiaddr such as /ip4/0.0.0.0/tcp/5001 or /ip6/::/tcp/5001', isListenMultiaddr)
}

export function dialMultiaddr () {
  return checked('a multiaddr such as /ip4/192.0.2.7/tcp/5001/p2p/12D3Koo… or /dns4/seed.example.com/tcp/5001', isDialMultiaddr)
}

/** A name or address as in a Host header, without port. */
export function hostName () {
  return checked('a host name or IP address without port', text => isIP(text) !== 0 || isHostName(text))
}

/** A registry as it stands in references: `docker.io`, `localhost:5000`. */
export function registryHost () {
  return checked('a registry host such as docker.io or registry.example.com:5000', isRegistryHost)
}

/** Where a registry's content is fetched; the path is kept, the last `/` is not. */
export function originUrl () {
  return decoded('an http:// or https:// URL without user, query or fragment (credentials: username and passwordFile)', parseOriginUrl)
}

/** `true` or `false`, also as text (flags and the environment have nothing else). */
export function flag () {
  const allowed = 'true or false'
  return z.union([z.boolean(), z.enum(['true', 'false', '1', '0']).transform(text => text === 'true' || text === '1')], { error: allowed })
}

/** A whole number, also as text. */
export function count (min: number, max: number) {
  const allowed = `a whole number from ${min} to ${max}`
  return z.preprocess(
    value => typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value,
    z.int({ error: allowed }).min(min, { error: allowed }).max(max, { error: allowed })
  )
}

export function oneOf<const T extends readonly string[]> (...names: T) {
  return z.enum(names, { error: `one of ${names.join(', ')}` })
}

/** Several; one text holds them separated by commas or spaces. */
export function list<T extends z.ZodType> (item: T) {
  return z.preprocess(
    value => typeof value === 'string' ? value.split(/[\s,]+/).filter(part => part !== '') : value,
    z.array(item, { error: 'a list' })
  )
}

function isRegistryHost (text: string): boolean {
  return isHostName(text) || parseListenAddress(text) !== undefined
}

function isPath (text: string): boolean {
  return text.length > 0 && text.length <= 4096 && !/[\0\r\n]/.test(text)
}

function parseOriginUrl (text: string): string | undefined {
  const url = URL.parse(text)
  if (url === null || !/^https?:$/.test(url.protocol) || !/^https?:\/\//i.test(text)) return undefined
  if (url.username !== '' || url.password !== '' || /[?#]/.test(text)) return undefined
  return url.href.replace(/\/+$/, '')
}
