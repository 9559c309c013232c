import { digestAlgorithm, digestOf, isDigest, shortDigest, type Digest, type DigestAlgorithm } from '../oci/digest.ts'
import { MAX_MANIFEST_BYTES, readManifest } from '../oci/manifest.ts'
import { isManifestType, isSchema1Type, MANIFEST_ACCEPT, mediaTypeEssence } from '../oci/media-types.ts'
import { parseContentLength } from './content-range.ts'
import { OriginError } from './origin-error.ts'
import type { OriginManifest, ResolvedManifest } from './origin.ts'
import type { RegistryAnswer, RegistryClient } from './registry-client.ts'

export interface ManifestRequest {
  readonly registry: string
  readonly repository: string
  /** Tag or digest. */
  readonly reference: string
  readonly firstByteMs: number
}

/**
 * HEAD of a manifest: OCI distribution spec 1.1, "Checking if content exists in the registry". It costs nothing of
 * Docker Hub's allowance; where a registry does not answer it fully, GET does.
 * @throws OriginError, or the signal's reason
 */
export async function resolveManifest (client: RegistryClient, request: ManifestRequest, signal: AbortSignal): Promise<ResolvedManifest> {
  const asked = { ...requestOf(request), method: 'HEAD', limitBytes: 0, signal } as const
  const answer = await client.request(asked)
  const { status, headers, access } = answer
  if (isUnansweredHead(answer)) return fetchManifest(client, request, signal)
  if (status !== 200) throw client.errorOf(asked, answer)
  const mediaType = mediaTypeEssence(headers.get('content-type'))
  if (isSchema1Type(mediaType)) throw schema1(request)
  const digest = headers.get('docker-content-digest')
  const size = parseContentLength(headers.get('content-length'))
  if (digest === undefined || !isDigest(digest) || !isManifestType(mediaType) || size === undefined) return fetchManifest(client, request, signal)
  if (isDigest(request.reference) && digest !== request.reference && sameAlgorithm(digest, request.reference)) throw invalid(request, `Docker-Content-Digest says ${shortDigest(digest)}`)
  if (size > MAX_MANIFEST_BYTES) throw invalid(request, `${size} bytes, at most ${MAX_MANIFEST_BYTES} are allowed`)
  return { digest, mediaType, size, access }
}

/**
 * GET of a manifest, checked against the digest asked for, the one the registry claims, and the rules of its format.
 * @throws OriginError, or the signal's reason
 */
export async function fetchManifest (client: RegistryClient, request: ManifestRequest, signal: AbortSignal): Promise<OriginManifest> {
  const asked = { ...requestOf(request), method: 'GET', limitBytes: MAX_MANIFEST_BYTES, signal } as const
  const answer = await client.request(asked)
  const { status, headers, bytes, access } = answer
  if (status !== 200) throw client.errorOf(asked, answer)
  const contentType = headers.get('content-type')
  if (isSchema1Type(contentType)) throw schema1(request)
  const claimed = headers.get('docker-content-digest')
  const expected = [request.reference, claimed].filter(text => text !== undefined).filter(isDigest)
  for (const digest of expected) {
    const actual = digestOf(bytes, digestAlgorithm(digest))
    if (actual !== digest) throw invalid(request, `its ${bytes.length} bytes have the digest ${shortDigest(actual)}, not ${shortDigest(digest)}`)
  }
  const mediaType = readMediaType(bytes, contentType, request)
  return { digest: expected[0] ?? digestOf(bytes), mediaType, size: bytes.length, access, bytes }
}

function readMediaType (bytes: Uint8Array, contentType: string | undefined, request: ManifestRequest): string {
  try {
    return readManifest(bytes, { mediaType: contentType }).mediaType
  } catch (cause) {
    throw invalid(request, cause instanceof Error ? cause.message : 'not a manifest', cause)
  }
}

/** HEAD is unknown there, or a 404 that is not in a registry's words may mean just that. */
function isUnansweredHead ({ status, headers }: RegistryAnswer): boolean {
  const isRegistrys404 = mediaTypeEssence(headers.get('content-type')) === 'application/json' || headers.get('docker-distribution-api-version') !== undefined
  return status === 405 || status === 501 || (status === 404 && !isRegistrys404)
}

function requestOf ({ repository, reference, firstByteMs }: ManifestRequest) {
  return { repository, path: `manifests/${reference}`, accept: MANIFEST_ACCEPT, firstByteMs } as const
}

function schema1 (request: ManifestRequest): OriginError {
  return invalid(request, 'it is there in Docker\'s schema 1 only, which is not supported')
}

function invalid ({ registry, repository, reference }: ManifestRequest, what: string, cause?: unknown): OriginError {
  return new OriginError('ORIGIN_INVALID', `manifest ${repository} ${isDigest(reference) ? shortDigest(reference) : reference}: ${what}`, { registry, cause })
}

function sameAlgorithm (one: Digest, other: Digest): boolean {
  const algorithm: DigestAlgorithm = digestAlgorithm(one)
  return algorithm === digestAlgorithm(other)
}
