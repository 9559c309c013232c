import { createCipheriv, createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { pack } from 'tar-stream'
import { digestOf, type Digest } from '../../src/oci/digest.ts'

const DEFAULT_PLATFORMS = ['amd64', 'arm64']
const DEFAULT_LAYER_BYTES = [40_000, 250_000, 1_000]
/** Random bytes do not shrink, and for large layers trying takes longer than what is tested. */
const STORED_ABOVE_BYTES = 1_000_000

const MEDIA_TYPES = {
  oci: {
    index: 'application/vnd.oci.image.index.v1+json',
    manifest: 'application/vnd.oci.image.manifest.v1+json',
    config: 'application/vnd.oci.image.config.v1+json',
    layer: 'application/vnd.oci.image.layer.v1.tar+gzip'
  },
  docker: {
    index: 'application/vnd.docker.distribution.manifest.list.v2+json',
    manifest: 'application/vnd.docker.distribution.manifest.v2+json',
    config: 'application/vnd.docker.container.image.v1+json',
    layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip'
  }
} as const

export interface TestManifest {
  readonly digest: Digest
  readonly mediaType: string
  readonly bytes: Buffer
}

/** An image that real clients accept: every layer is a gzipped tar with one file of random bytes. */
export interface TestImage {
  /** Configs and layers of all platforms. */
  readonly blobs: ReadonlyMap<Digest, Buffer>
  /** One a platform. */
  readonly manifests: readonly TestManifest[]
  /** The top: names every manifest. */
  readonly index: TestManifest
  /** The layers of each platform, in order; the first layer is the same for all. */
  readonly layers: ReadonlyMap<string, readonly Digest[]>
}

export interface TestImageInit {
  /** The same seed gives the same digests. @default 'shoal' */
  seed?: string
  /** Architectures, all for linux. @default ['amd64', 'arm64'] */
  platforms?: readonly string[]
  /** Size of the file in each layer. @default three layers of 40,000, 250,000 and 1,000 bytes */
  layerBytes?: readonly number[]
  /** @default 'oci' */
  format?: keyof typeof MEDIA_TYPES
}

/** Bytes that look random, compress badly, and are the same for the same seed. */
export function seededBytes (length: number, seed: string): Buffer {
  const key = createHash('sha256').update(seed).digest()
  return createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(length))
}

/** Bytes of all its blobs and manifests. */
export function imageBytes ({ blobs, manifests, index }: TestImage): number {
  return [...blobs.values(), ...manifests.map(({ bytes }) => bytes), index.bytes].reduce((sum, bytes) => sum + bytes.length, 0)
}

export async function buildImage (init: TestImageInit = {}): Promise<TestImage> {
  const seed = init.seed ?? 'shoal'
  const types = MEDIA_TYPES[init.format ?? 'oci']
  const blobs = new Map<Digest, Buffer>()
  const manifests: TestManifest[] = []
  const layersByPlatform = new Map<string, readonly Digest[]>()
  const children: object[] = []

  for (const architecture of init.platforms ?? DEFAULT_PLATFORMS) {
    const layers: Digest[] = []
    const diffIds: Digest[] = []
    for (const [index, length] of (init.layerBytes ?? DEFAULT_LAYER_BYTES).entries()) {
      const owner = index === 0 ? 'all' : architecture
      const tar = await tarOf(`layer-${index}.bin`, seededBytes(length, `${seed} ${owner} ${index}`))
      const layer = gzipSync(tar, { level: length > STORED_ABOVE_BYTES ? 0 : 1 })
      const digest = digestOf(layer)
      blobs.set(digest, layer)
      layers.push(digest)
      diffIds.push(digestOf(tar))
    }
    const config = json({ architecture, os: 'linux', config: { Cmd: ['/layer-0.bin'], Labels: { seed } }, rootfs: { type: 'layers', diff_ids: diffIds }, history: diffIds.map(() => ({ created_by: 'test' })) })
    blobs.set(digestOf(config), config)
    const manifest = manifestOf(types.manifest, {
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, digest: digestOf(config), size: config.length },
      layers: layers.map(digest => ({ mediaType: types.layer, digest, size: blobs.get(digest)?.length }))
    })
    manifests.push(manifest)
    layersByPlatform.set(architecture, layers)
    children.push({ mediaType: types.manifest, digest: manifest.digest, size: manifest.bytes.length, platform: { architecture, os: 'linux' } })
  }
  const index = manifestOf(types.index, { schemaVersion: 2, mediaType: types.index, manifests: children })
  return { blobs, manifests, index, layers: layersByPlatform }
}

function manifestOf (mediaType: string, document: object): TestManifest {
  const bytes = json(document)
  return { digest: digestOf(bytes), mediaType, bytes }
}

function json (document: object): Buffer {
  return Buffer.from(JSON.stringify(document))
}

async function tarOf (name: string, content: Buffer): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name, mode: 0o644, mtime: new Date(0) }, content)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
