import { InvalidDigestError, isDigest, type Digest } from './digest.ts'
import { ociError, type OciError } from './oci-error.ts'
import { isTag } from './reference.ts'
import { isRequestName } from './repository.ts'

/** Longer than any legal path, even with each character of its digest percent-encoded. */
const MAX_PATH_LENGTH = 2048
const ESCAPE = /%(.{0,2})/gs
const HEX_PAIR = /^[0-9a-f]{2}$/i
/** What an escape may stand for. Not `.` and `/`: nobody needs them escaped, and only attackers do it. */
const ESCAPABLE = /^[A-Za-z0-9_:-]$/
/** Control characters and the backslash, which some file systems and proxies take for a slash. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x1f\x7f\\]/

/** What a request's path asks for. `name` may begin with a registry's host: see `resolveRepository`. */
export type RegistryRequest =
  | { readonly kind: 'base' }
  | { readonly kind: 'manifest', readonly name: string, readonly tag: string, readonly digest?: undefined }
  | { readonly kind: 'manifest', readonly name: string, readonly digest: Digest, readonly tag?: undefined }
  | { readonly kind: 'blob', readonly name: string, readonly digest: Digest }
  | { readonly kind: 'tags', readonly name: string }
  | { readonly kind: 'referrers', readonly name: string, readonly digest: Digest }
  | { readonly kind: 'uploads', readonly name: string }

/**
 * Reads the path of a registry request: OCI distribution spec 1.1, "Endpoints". A name may contain `manifests` and
 * `blobs` as components; the last one that can be the endpoint is.
 * @param rawPath as it came, without the query and not percent-decoded
 * @throws OciError NAME_INVALID 400, DIGEST_INVALID 400, MANIFEST_UNKNOWN 404 (a tag that cannot exist),
 * UNSUPPORTED 404 (no path of a registry)
 */
export function parseRequestPath (rawPath: string): RegistryRequest {
  if (rawPath === '/v2' || rawPath === '/v2/') return { kind: 'base' }
  if (!rawPath.startsWith('/v2/')) throw noEndpoint(rawPath)
  const components = decode(rawPath).slice('/v2/'.length).split('/')
  if (components.slice(0, -1).includes('') || components.some(component => component === '.' || component === '..')) throw badPath(rawPath)
  const request = readEndpoint(components)
  if (request === undefined) throw misplaced(components) ?? noEndpoint(rawPath)
  return request
}

/** By the last components, since no reference contains a slash. */
function readEndpoint (components: readonly string[]): RegistryRequest | undefined {
  const last = components.at(-1) ?? ''
  switch (components.at(-2) ?? '') {
    case 'manifests': return readManifestRequest(nameOf(components, -2), last)
    case 'referrers': return { kind: 'referrers', name: nameOf(components, -2), digest: digestOf(last) }
    case 'blobs': return last === 'uploads' ? { kind: 'uploads', name: nameOf(components, -2) } : { kind: 'blob', name: nameOf(components, -2), digest: digestOf(last) }
    case 'tags': return last === 'list' ? { kind: 'tags', name: nameOf(components, -2) } : undefined
    case 'uploads': return components.at(-3) === 'blobs' ? { kind: 'uploads', name: nameOf(components, -3) } : undefined
    default: return undefined
  }
}

/** What is wrong with a path whose reference or digest has a slash in it. */
function misplaced (components: readonly string[]): OciError | undefined {
  const marker = components.findLastIndex(component => component === 'manifests' || component === 'blobs')
  if (marker < 1) return undefined
  const reference = components.slice(marker + 1).join('/')
  return components[marker] === 'blobs' ? badDigest(reference) : noManifest(reference)
}

/**
 * A malformed tag is a manifest nobody has: the specification's conformance tests ask for `.INVALID_MANIFEST_NAME`
 * and want 404, and 404 is what lets every client go on to its next registry.
 */
function readManifestRequest (name: string, reference: string): RegistryRequest {
  if (reference.includes(':')) return { kind: 'manifest', name, digest: digestOf(reference) }
  if (!isTag(reference)) throw noManifest(reference)
  return { kind: 'manifest', name, tag: reference }
}

function nameOf (components: readonly string[], end: number): string {
  const name = components.slice(0, end).join('/')
  if (!isRequestName(name)) throw ociError('NAME_INVALID', { message: `invalid repository name ${quote(name)}`, detail: { name: name.slice(0, 300) } })
  return name
}

function digestOf (text: string): Digest {
  if (!isDigest(text)) throw badDigest(text)
  return text
}

function decode (rawPath: string): string {
  if (rawPath.length > MAX_PATH_LENGTH || FORBIDDEN.test(rawPath)) throw badPath(rawPath)
  return rawPath.replace(ESCAPE, (_, hex: string) => {
    const character = HEX_PAIR.test(hex) ? String.fromCharCode(Number.parseInt(hex, 16)) : ''
    if (!ESCAPABLE.test(character)) throw badPath(rawPath)
    return character
  })
}

function badPath (path: string): OciError {
  return ociError('NAME_INVALID', { message: `path ${quote(path)} has an encoding or a component that no repository name can have` })
}

function noEndpoint (path: string): OciError {
  return ociError('UNSUPPORTED', { status: 404, message: `path ${quote(path)} is no endpoint of a registry` })
}

function noManifest (reference: string): OciError {
  return ociError('MANIFEST_UNKNOWN', { message: `no manifest can have the tag ${quote(reference)}`, detail: { reference: reference.slice(0, 300) } })
}

function badDigest (text: string): OciError {
  return ociError('DIGEST_INVALID', { cause: new InvalidDigestError(text), detail: { digest: text.slice(0, 300) } })
}

function quote (text: string): string {
  return JSON.stringify(text.slice(0, 300))
}
