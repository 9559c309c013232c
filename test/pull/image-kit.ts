import { digestOf, type Digest } from '../../src/oci/digest.ts'
import type { Platform } from '../../src/oci/manifest.ts'
import { MEDIA_TYPES } from '../../src/oci/media-types.ts'
import { bytesOf, repository, type Kit } from './kit.ts'

const encoder = new TextEncoder()

/** Content of an image, held by nobody yet. */
export interface TestImage {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly blobs: ReadonlyMap<Digest, Uint8Array>
}

/** An index of images, held by nobody yet. */
export interface TestIndex {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Uint8Array
  readonly images: readonly TestImage[]
}

/** An image of a config and layers of these sizes. */
export function makeImage (name: string, layerSizes: readonly number[] = [1000], extra: Record<string, unknown> = {}): TestImage {
  const config = encoder.encode(JSON.stringify({ name }))
  const layers = layerSizes.map((size, index) => bytesOf(size, `${name} ${index}`))
  const bytes = encoder.encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: describe(config, MEDIA_TYPES.ociConfig),
    layers: layers.map(layer => describe(layer, MEDIA_TYPES.ociLayer)),
    ...extra
  }))
  return { digest: digestOf(bytes), mediaType: MEDIA_TYPES.ociManifest, bytes, blobs: new Map([config, ...layers].map(blob => [digestOf(blob), blob])) }
}

export function makeIndex (entries: ReadonlyArray<{ readonly image: TestImage, readonly platform?: Platform }>): TestIndex {
  const manifests = entries.map(({ image, platform }) => ({ ...describe(image.bytes, image.mediaType), ...(platform === undefined ? {} : { platform }) }))
  const bytes = encoder.encode(JSON.stringify({ schemaVersion: 2, mediaType: MEDIA_TYPES.ociIndex, manifests }))
  return { digest: digestOf(bytes), mediaType: MEDIA_TYPES.ociIndex, bytes, images: entries.map(({ image }) => image) }
}

/** Puts an image or an index with all its images at the origin. */
export function atOrigin (kit: Kit, content: TestImage | TestIndex, tag?: string): void {
  kit.origin.addManifest(repository, content.bytes, content.mediaType, tag)
  if ('images' in content) for (const image of content.images) atOrigin(kit, image)
  else for (const bytes of content.blobs.values()) kit.origin.addBlob(repository, bytes)
}

/** Gives an image or an index with all its images to a peer. */
export function atPeer (kit: Kit, peer: string, content: TestImage | TestIndex): void {
  kit.peers.add(peer, content.digest, content.bytes, { kind: 'manifest' })
  if ('images' in content) for (const image of content.images) atPeer(kit, peer, image)
  else for (const [digest, bytes] of content.blobs) kit.peers.add(peer, digest, bytes)
}

function describe (bytes: Uint8Array, mediaType: string): { mediaType: string, digest: Digest, size: number } {
  return { mediaType, digest: digestOf(bytes), size: bytes.length }
}
