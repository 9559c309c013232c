import type { Descriptor } from './descriptor.ts'
import type { Digest } from './digest.ts'
import type { ManifestDocument } from './manifest.ts'
import { MEDIA_TYPES } from './media-types.ts'

export interface ReferrersIndex {
  /** Content-Type of the answer. */
  readonly mediaType: typeof MEDIA_TYPES.ociIndex
  readonly bytes: Uint8Array
  /** Whether the answer carries `OCI-Filters-Applied: artifactType`. */
  readonly filtered: boolean
}

/**
 * The answer to a referrers request: OCI distribution spec 1.1, "Listing Referrers". An index also when there are none.
 * @param artifactType the request's filter, if any
 */
export function referrersIndex (descriptors: readonly Descriptor[], artifactType?: string): ReferrersIndex {
  const filtered = artifactType !== undefined && artifactType !== ''
  const chosen = new Map<Digest, Descriptor>()
  for (const descriptor of descriptors) {
    if (!filtered || descriptor.artifactType === artifactType) chosen.set(descriptor.digest, descriptor)
  }
  const index = { schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests: [...chosen.values()].map(wireDescriptor) }
  return { mediaType: MEDIA_TYPES.ociIndex, bytes: new TextEncoder().encode(JSON.stringify(index)), filtered }
}

/**
 * How a manifest with a `subject` appears among the referrers of it: with its annotations, and its config's media
 * type where it names no artifact type.
 */
export function referrerDescriptor (document: ManifestDocument, digest: Digest, size: number): Descriptor {
  const artifactType = document.artifactType ?? (document.type === 'manifest' ? document.config.mediaType : undefined)
  return {
    mediaType: document.mediaType,
    digest,
    size,
    ...(Object.keys(document.annotations).length === 0 ? {} : { annotations: document.annotations }),
    ...(artifactType === undefined ? {} : { artifactType })
  }
}

function wireDescriptor ({ foreign: _, platform, ...descriptor }: Descriptor) {
  if (platform === undefined) return descriptor
  const { osVersion, ...rest } = platform
  return { ...descriptor, platform: { ...rest, ...(osVersion === undefined ? {} : { 'os.version': osVersion }) } }
}
