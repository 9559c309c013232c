import { parseDigest, type Digest } from '../../src/oci/digest.ts'
import type { TestImage, TestManifest } from './image.ts'

interface ManifestDocument {
  readonly config: { readonly digest: string }
  readonly layers: ReadonlyArray<{ readonly digest: string }>
}

/** What a client on one platform gets of an image. */
export interface PlatformImage {
  readonly manifest: TestManifest
  readonly config: Digest
  readonly layers: readonly Digest[]
}

/** The architecture whose image the clients of this machine pull, as image indexes name it. */
export const hostArchitecture = process.arch === 'arm64' ? 'arm64' : 'amd64'

/** The part of the image for one architecture, as its own documents tell it. */
export function platformImage (image: TestImage, architecture: string = hostArchitecture): PlatformImage {
  for (const manifest of image.manifests) {
    const { config, layers } = JSON.parse(manifest.bytes.toString()) as ManifestDocument
    const document = JSON.parse(blobOf(image, config.digest).toString()) as { architecture: string }
    if (document.architecture !== architecture) continue
    return { manifest, config: parseDigest(config.digest), layers: layers.map(layer => parseDigest(layer.digest)) }
  }
  throw new Error(`the test image has none for ${architecture}`)
}

/** The bytes of a config or layer. */
export function blobOf (image: TestImage, digest: string): Buffer {
  const bytes = image.blobs.get(digest as Digest)
  if (bytes === undefined) throw new Error(`the test image has no blob ${digest}`)
  return bytes
}
