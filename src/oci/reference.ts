import { isDigest, type Digest } from './digest.ts'
import { ociError } from './oci-error.ts'
import { canonicalName, canonicalRegistryHost, DOCKER_HUB, isRegistryHost, looksLikeRegistryHost } from './registry-host.ts'

export { isRegistryHost } from './registry-host.ts'

const MAX_NAME_LENGTH = 255
const MAX_REFERENCE_LENGTH = 1024
const COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/
const IMAGE_ID = /^[0-9a-f]{64}$/
const DEFAULT_TAG = 'latest'

/** An image as people write it. Without a tag there is a digest; there may be both, and then the digest decides. */
export interface Reference {
  /** Host, with port if any. */
  readonly registry: string
  /** Path of the repository there. */
  readonly repository: string
  readonly tag?: string
  readonly digest?: Digest
}

export interface ParseReferenceInit {
  /** Registry of references that name none. @default 'docker.io' */
  readonly defaultRegistry?: string
}

/** `<name>` of OCI distribution spec 1.1, "Pulling manifests"; at most 255 characters. */
export function isRepositoryName (text: string): boolean {
  return text.length <= MAX_NAME_LENGTH && text.split('/').every(component => COMPONENT.test(component))
}

/** `<reference>` as a tag, of OCI distribution spec 1.1, "Pulling manifests". */
export function isTag (text: string): boolean {
  return TAG.test(text)
}

/**
 * Reads `[registry/]repository[:tag][@digest]` by Docker's rules: `alpine` is `docker.io/library/alpine:latest`;
 * the first of several components is the registry when it has a `.`, a `:` or an upper-case letter or is `localhost`.
 * @throws OciError NAME_INVALID, TAG_INVALID, DIGEST_INVALID
 */
export function parseReference (text: string, { defaultRegistry = DOCKER_HUB }: ParseReferenceInit = {}): Reference {
  if (text.length > MAX_REFERENCE_LENGTH || IMAGE_ID.test(text)) throw invalid('NAME_INVALID', 'reference', text)
  const { digest, rest: beforeDigest } = splitDigest(text)
  const { tag, rest } = splitTag(beforeDigest)
  const slash = rest.indexOf('/')
  const first = rest.slice(0, Math.max(slash, 0))
  const hasRegistry = slash > 0 && (looksLikeRegistryHost(first) || first !== first.toLowerCase())
  if (hasRegistry && !isRegistryHost(first)) throw invalid('NAME_INVALID', 'registry', first)
  const registry = canonicalRegistryHost(hasRegistry ? first : defaultRegistry)
  const repository = canonicalName(registry, hasRegistry ? rest.slice(slash + 1) : rest)
  if (!isRepositoryName(repository)) throw invalid('NAME_INVALID', 'repository', repository)
  if (digest === undefined) return { registry, repository, tag: tag ?? DEFAULT_TAG }
  return { registry, repository, ...(tag === undefined ? {} : { tag }), digest }
}

/** The full form, `registry/repository[:tag][@digest]`; `parseReference` reads it back. */
export function formatReference ({ registry, repository, tag, digest }: Reference): string {
  return `${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

function splitDigest (text: string): { digest: Digest | undefined, rest: string } {
  const at = text.indexOf('@')
  if (at === -1) return { digest: undefined, rest: text }
  const digest = text.slice(at + 1)
  if (!isDigest(digest)) throw invalid('DIGEST_INVALID', 'digest', digest)
  return { digest, rest: text.slice(0, at) }
}

/** A colon before the last slash belongs to a port. */
function splitTag (text: string): { tag: string | undefined, rest: string } {
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1)
  if (colon === -1) return { tag: undefined, rest: text }
  const tag = text.slice(colon + 1)
  if (!isTag(tag)) throw invalid('TAG_INVALID', 'tag', tag)
  return { tag, rest: text.slice(0, colon) }
}

function invalid (code: 'NAME_INVALID' | 'TAG_INVALID' | 'DIGEST_INVALID', what: string, text: string) {
  return ociError(code, { message: `invalid ${what} ${JSON.stringify(text.slice(0, 200))}`, detail: { [what]: text.slice(0, 200) } })
}
