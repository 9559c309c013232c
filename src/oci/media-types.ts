import type { Digest } from './digest.ts'

/** OCI image spec 1.1, media-types.md; Docker image manifest v2 schema 1 and schema 2. */
export const MEDIA_TYPES = {
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
  ociConfig: 'application/vnd.oci.image.config.v1+json',
  ociLayer: 'application/vnd.oci.image.layer.v1.tar',
  ociLayerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  ociLayerZstd: 'application/vnd.oci.image.layer.v1.tar+zstd',
  ociEmpty: 'application/vnd.oci.empty.v1+json',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  dockerConfig: 'application/vnd.docker.container.image.v1+json',
  dockerLayer: 'application/vnd.docker.image.rootfs.diff.tar',
  dockerLayerGzip: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
  dockerSchema1: 'application/vnd.docker.distribution.manifest.v1+json',
  dockerSchema1Signed: 'application/vnd.docker.distribution.manifest.v1+prettyjws',
  octetStream: 'application/octet-stream'
} as const

/** The descriptor of `{}`, standing for "no content here": OCI image spec 1.1, manifest.md, "Guidance for an Empty Descriptor". */
export const EMPTY_DESCRIPTOR = {
  mediaType: MEDIA_TYPES.ociEmpty,
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a' as Digest,
  size: 2
} as const

/**
 * The Accept header of every manifest request to an origin. Without the whole list a registry may convert what
 * it has, which changes the digest; schema1 is left out for the same reason.
 */
export const MANIFEST_ACCEPT: string = [MEDIA_TYPES.ociIndex, MEDIA_TYPES.ociManifest, MEDIA_TYPES.dockerManifestList, MEDIA_TYPES.dockerManifest].join(', ')

const NON_DISTRIBUTABLE = /^application\/vnd\.(?:oci\.image\.layer\.nondistributable\.v1\.tar|docker\.image\.rootfs\.foreign\.diff\.tar)(?:[.+][a-z0-9]+)?$/

/** A header's media type without parameters, lower case: RFC 9110, section 8.3.1. Empty when there is none. */
export function mediaTypeEssence (header: string | undefined): string {
  return (header ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? ''
}

/** A list of manifests, one per platform. Parameters and case are ignored. */
export function isIndexType (mediaType: string | undefined): boolean {
  const essence = mediaTypeEssence(mediaType)
  return essence === MEDIA_TYPES.ociIndex || essence === MEDIA_TYPES.dockerManifestList
}

/** Anything served under `/manifests/`: an image manifest or an index; never schema1. */
export function isManifestType (mediaType: string | undefined): boolean {
  const essence = mediaTypeEssence(mediaType)
  return essence === MEDIA_TYPES.ociManifest || essence === MEDIA_TYPES.dockerManifest || isIndexType(essence)
}

/** Docker's first manifest format: it has no stable digest and is refused everywhere. */
export function isSchema1Type (mediaType: string | undefined): boolean {
  const essence = mediaTypeEssence(mediaType)
  return essence === MEDIA_TYPES.dockerSchema1 || essence === MEDIA_TYPES.dockerSchema1Signed
}

/** A layer registries need not have; its descriptor's `urls` say where it is. */
export function isNonDistributableType (mediaType: string): boolean {
  return NON_DISTRIBUTABLE.test(mediaTypeEssence(mediaType))
}
