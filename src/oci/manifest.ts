import { readDescriptor, type Descriptor } from './descriptor.ts'
import { invalidManifest, optionalArray, optionalString, optionalStringMap, quoted, readJsonObject, type JsonObject } from './json-document.ts'
import { isIndexType, isManifestType, isSchema1Type, mediaTypeEssence, MEDIA_TYPES } from './media-types.ts'
import { ociError } from './oci-error.ts'

export { isManifestDescriptor, type Descriptor, type Platform } from './descriptor.ts'

/** OCI distribution spec 1.1, "Pushing Manifests", and what every registry accepts. */
export const MAX_MANIFEST_BYTES = 4 * 1024 * 1024

interface DocumentFacts {
  /** One of the manifest types of `MEDIA_TYPES`. */
  readonly mediaType: string
  /** What it is attached to, when it is a referrer. */
  readonly subject?: Descriptor
  readonly artifactType?: string
  readonly annotations: Readonly<Record<string, string>>
}

interface ImageManifest extends DocumentFacts {
  readonly type: 'manifest'
  readonly config: Descriptor
  readonly layers: readonly Descriptor[]
}

interface ImageIndex extends DocumentFacts {
  readonly type: 'index'
  readonly manifests: readonly Descriptor[]
}

/** An OCI manifest or index, or Docker's of schema 2. */
export type ManifestDocument = ImageManifest | ImageIndex

export interface ReadManifestInit {
  /** Content-Type of the answer the bytes came with. */
  readonly mediaType?: string
}

/**
 * Reads and checks an image manifest or index: OCI image spec 1.1, manifest.md and image-index.md; Docker schema 2.
 * The document's own `mediaType` names it; else the Content-Type; else its shape. Where two of them disagree, or the
 * document could be read as both, it is refused: clients would not agree on what it is (CVE-2021-41190).
 * @throws OciError MANIFEST_INVALID, SIZE_INVALID (413 when longer than 4 MiB)
 */
export function readManifest (bytes: Uint8Array, { mediaType: contentType }: ReadManifestInit = {}): ManifestDocument {
  if (bytes.length > MAX_MANIFEST_BYTES) {
    throw ociError('SIZE_INVALID', { status: 413, message: `manifest has ${bytes.length} bytes, at most ${MAX_MANIFEST_BYTES} are allowed` })
  }
  if (isSchema1Type(contentType)) throw invalidManifest('Docker schema 1 is not supported')
  const source = readJsonObject(bytes)
  refuseOtherSchemas(source)
  const type = shapeOf(source)
  const mediaType = mediaTypeOf(source, type, contentType)
  const facts = readFacts(source, mediaType)
  return type === 'index'
    ? { type, ...facts, manifests: readDescriptors(source['manifests'], 'manifests') }
    : { type, ...facts, config: readDescriptor(source['config'], 'config'), layers: readDescriptors(source['layers'], 'layers') }
}

/**
 * What must be here for the document to be usable: manifests of an index; config and layers of a manifest. Each digest
 * once, in the document's order. Those marked `foreign` need not be at the registry.
 */
export function children (document: ManifestDocument): Descriptor[] {
  const all = document.type === 'index' ? document.manifests : [document.config, ...document.layers]
  const seen = new Map<string, Descriptor>()
  for (const descriptor of all) {
    if (!seen.has(descriptor.digest)) seen.set(descriptor.digest, descriptor)
  }
  return [...seen.values()]
}

function refuseOtherSchemas (source: JsonObject): void {
  const version = source['schemaVersion']
  const mediaType = source['mediaType']
  if (version === 1 || isSchema1Type(typeof mediaType === 'string' ? mediaType : undefined)) throw invalidManifest('Docker schema 1 is not supported')
  if (version !== 2) throw invalidManifest('schemaVersion is not 2')
}

function shapeOf (source: JsonObject): ManifestDocument['type'] {
  const has = (key: string) => source[key] !== undefined && source[key] !== null
  if (has('manifests') && (has('layers') || has('config'))) throw invalidManifest('it has both manifests and layers or config')
  if (has('layers') || has('config')) return 'manifest'
  // Go writes an index of nothing as `"manifests": null`.
  if ('manifests' in source) return 'index'
  throw invalidManifest('it has neither manifests nor config and layers')
}

function mediaTypeOf (source: JsonObject, type: ManifestDocument['type'], contentType: string | undefined): string {
  const own = optionalString(source['mediaType'], 'mediaType') || undefined
  if (own !== undefined && !isManifestType(own)) throw invalidManifest(`mediaType ${quoted(own)} is not that of a manifest or index`)
  const given = isManifestType(contentType) ? mediaTypeEssence(contentType) : undefined
  if (own !== undefined && given !== undefined && mediaTypeEssence(own) !== given) {
    throw invalidManifest(`mediaType is ${quoted(own)} but Content-Type says ${quoted(given)}`)
  }
  const mediaType = own === undefined ? given ?? mediaTypeOfShape(source, type) : mediaTypeEssence(own)
  if (isIndexType(mediaType) !== (type === 'index')) throw invalidManifest(`it has the type ${quoted(mediaType)} but the fields of ${type === 'index' ? 'an index' : 'a manifest'}`)
  return mediaType
}

function mediaTypeOfShape (source: JsonObject, type: ManifestDocument['type']): string {
  if (type === 'index') return MEDIA_TYPES.ociIndex
  const config = readDescriptor(source['config'], 'config')
  return config.mediaType === MEDIA_TYPES.dockerConfig ? MEDIA_TYPES.dockerManifest : MEDIA_TYPES.ociManifest
}

function readFacts (source: JsonObject, mediaType: string): DocumentFacts {
  const subject = source['subject'] === undefined || source['subject'] === null ? undefined : readDescriptor(source['subject'], 'subject')
  const artifactType = optionalString(source['artifactType'], 'artifactType') || undefined
  return {
    mediaType,
    ...(subject === undefined ? {} : { subject }),
    ...(artifactType === undefined ? {} : { artifactType }),
    annotations: optionalStringMap(source['annotations'], 'annotations') ?? {}
  }
}

function readDescriptors (value: unknown, where: string): Descriptor[] {
  return (optionalArray(value, where) ?? []).map((descriptor, index) => readDescriptor(descriptor, `${where}[${index}]`))
}
