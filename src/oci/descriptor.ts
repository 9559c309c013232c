import { isDigest, type Digest } from './digest.ts'
import { asObject, invalidManifest, optionalArray, optionalString, optionalStringMap, quoted } from './json-document.ts'
import { isManifestType, isNonDistributableType } from './media-types.ts'
import { ociError } from './oci-error.ts'

const MAX_MEDIA_TYPE_LENGTH = 255
/** `type/subtype` of RFC 6838, section 4.2, and whatever parameters in visible ASCII. */
const MEDIA_TYPE = /^[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*\/[A-Za-z0-9][A-Za-z0-9!#$&^_.+-]*(?: *;[\x20-\x7e]*)?$/

/** OCI image spec 1.1, image-index.md, "platform". */
export interface Platform {
  readonly architecture?: string
  readonly os?: string
  readonly variant?: string
  readonly osVersion?: string
}

/** Names content: OCI image spec 1.1, descriptor.md. */
export interface Descriptor {
  readonly mediaType: string
  readonly digest: Digest
  /** Bytes. */
  readonly size: number
  readonly platform?: Platform
  readonly annotations?: Readonly<Record<string, string>>
  readonly artifactType?: string
  /** Where else the content may be had. */
  readonly urls?: readonly string[]
  /** A non-distributable layer with urls of its own: its registry need not have it. Derived, never on the wire. */
  readonly foreign?: true
}

/** Whether the content is served under `/manifests/` rather than `/blobs/`. */
export function isManifestDescriptor (descriptor: Descriptor): boolean {
  return isManifestType(descriptor.mediaType)
}

/**
 * @param where the place in the document, for messages
 * @throws OciError MANIFEST_INVALID, SIZE_INVALID
 */
export function readDescriptor (value: unknown, where: string): Descriptor {
  const source = asObject(value, where)
  const mediaType = readMediaType(source['mediaType'], where)
  const platform = readPlatform(source['platform'], `${where}.platform`)
  const annotations = optionalStringMap(source['annotations'], `${where}.annotations`)
  const artifactType = optionalString(source['artifactType'], `${where}.artifactType`)
  const urls = readUrls(source['urls'], `${where}.urls`)
  return {
    mediaType,
    digest: readDigest(source['digest'], where),
    size: readSize(source['size'], where),
    ...(platform === undefined ? {} : { platform }),
    ...(annotations === undefined ? {} : { annotations }),
    ...(artifactType === undefined ? {} : { artifactType }),
    ...(urls === undefined ? {} : { urls }),
    ...(urls !== undefined && urls.length > 0 && isNonDistributableType(mediaType) ? { foreign: true } : {})
  }
}

/** The text goes into headers and logs, so its grammar is checked here, once. */
function readMediaType (value: unknown, where: string): string {
  if (typeof value !== 'string') throw invalidManifest(`${where}.mediaType is not a string`)
  if (value.length > MAX_MEDIA_TYPE_LENGTH || !MEDIA_TYPE.test(value)) throw invalidManifest(`${where}.mediaType ${quoted(value)} is not a media type`)
  return value
}

function readDigest (value: unknown, where: string): Digest {
  if (typeof value !== 'string') throw invalidManifest(`${where}.digest is not a string`)
  if (!isDigest(value)) throw invalidManifest(`${where}.digest ${quoted(value)} is not sha256:<64 hex> or sha512:<128 hex>`)
  return value
}

function readSize (value: unknown, where: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value
  const found = typeof value === 'number' ? String(value) : value === undefined ? 'missing' : `a ${typeof value}`
  throw ociError('SIZE_INVALID', { message: `manifest invalid: ${where}.size is ${found}, expected a number of bytes` })
}

function readUrls (value: unknown, where: string): readonly string[] | undefined {
  return optionalArray(value, where)?.map((url, index) => optionalString(url, `${where}[${index}]`) ?? '')
}

function readPlatform (value: unknown, where: string): Platform | undefined {
  if (value === undefined || value === null) return undefined
  const source = asObject(value, where)
  const fields = { architecture: 'architecture', os: 'os', variant: 'variant', osVersion: 'os.version' } as const
  const entries = Object.entries(fields).map(([field, key]) => [field, optionalString(source[key], `${where}.${key}`)] as const)
  return Object.fromEntries(entries.filter(([, text]) => text !== undefined))
}
