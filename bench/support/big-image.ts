import { createCipheriv, createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { request } from 'undici'
import { digestOf, finishDigest, type Digest } from '../../src/oci/digest.ts'
import { pushBlob, pushManifest } from '../../test/support/docker-registry.ts'

const BLOCK_BYTES = 1024 * 1024
const TAR_BLOCK_BYTES = 512
const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar'
}

/** An image of one uncompressed layer, so that clients spend their time on moving bytes. */
export interface BigImage {
  readonly manifest: Digest
  readonly layer: Digest
  /** Bytes of the layer. */
  readonly layerBytes: number
  readonly layerFile: string
}

/** Makes the image in a directory and pushes it under the tag. `bytes` is the size of the one file in its layer. */
export async function pushBigImage (url: string, name: string, tag: string, dir: string, bytes: number): Promise<BigImage> {
  const layerFile = join(dir, `${tag}.tar`)
  const { digest: layer, size: layerBytes } = await pushLayer(url, name, layerFile, tag, bytes)
  return { manifest: await pushImage(url, name, tag, [{ digest: layer, size: layerBytes }]), layer, layerBytes, layerFile }
}

/** The same of so many layers, of which nothing stays in the directory. */
export async function pushLayeredImage (url: string, name: string, tag: string, dir: string, layerBytes: readonly number[]): Promise<void> {
  const layers: Layer[] = []
  const layerFile = join(dir, `${tag}.tar`)
  for (const [index, bytes] of layerBytes.entries()) layers.push(await pushLayer(url, name, layerFile, `${tag} ${index}`, bytes))
  await rm(layerFile)
  await pushImage(url, name, tag, layers)
}

interface Layer {
  readonly digest: Digest
  readonly size: number
}

async function pushLayer (url: string, name: string, layerFile: string, seed: string, bytes: number): Promise<Layer> {
  const digest = await writeLayer(layerFile, seed, bytes)
  const { size } = await stat(layerFile)
  await pushFile(url, name, digest, layerFile, size)
  return { digest, size }
}

async function pushImage (url: string, name: string, tag: string, layers: readonly Layer[]): Promise<Digest> {
  const architecture = process.arch === 'arm64' ? 'arm64' : 'amd64'
  const config = Buffer.from(JSON.stringify({ architecture, os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }, history: layers.map(() => ({ created_by: tag })) }))
  await pushBlob(url, name, digestOf(config), config)
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: { mediaType: TYPES.config, digest: digestOf(config), size: config.length },
    layers: layers.map(layer => ({ mediaType: TYPES.layer, ...layer }))
  }))
  await pushManifest(url, name, tag, { mediaType: TYPES.manifest, bytes: manifest })
  return digestOf(manifest)
}

/** A tar with one file of seeded random bytes. */
async function writeLayer (path: string, seed: string, bytes: number): Promise<Digest> {
  const hash = createHash('sha256')
  const keystream = createCipheriv('aes-128-ctr', createHash('md5').update(seed).digest(), Buffer.alloc(16))
  const zeros = Buffer.alloc(BLOCK_BYTES)
  const file = await open(path, 'w')
  const write = async (chunk: Buffer): Promise<void> => {
    hash.update(chunk)
    await file.write(chunk)
  }
  try {
    await write(tarHeader('file.bin', bytes))
    for (let left = bytes; left > 0; left -= BLOCK_BYTES) await write(keystream.update(zeros.subarray(0, Math.min(left, BLOCK_BYTES))))
    const padding = (TAR_BLOCK_BYTES - bytes % TAR_BLOCK_BYTES) % TAR_BLOCK_BYTES
    await write(Buffer.alloc(padding + 2 * TAR_BLOCK_BYTES))
  } finally {
    await file.close()
  }
  return finishDigest(hash, 'sha256')
}

/** POSIX ustar header of an ordinary file. */
function tarHeader (name: string, bytes: number): Buffer {
  const header = Buffer.alloc(TAR_BLOCK_BYTES)
  const octal = (value: number, length: number): string => `${value.toString(8).padStart(length - 1, '0')}\0`
  header.write(name, 0)
  header.write(octal(0o644, 8) + octal(0, 8) + octal(0, 8) + octal(bytes, 12) + octal(0, 12) + '        0', 100)
  header.write('ustar\x0000', 257)
  header.write(octal(header.reduce((sum, byte) => sum + byte, 0), 7) + ' ', 148)
  return header
}

async function pushFile (url: string, name: string, digest: Digest, path: string, bytes: number): Promise<void> {
  const begun = await request(`${url}/v2/${name}/blobs/uploads/`, { method: 'POST' })
  await begun.body.dump()
  const location = new URL(String(begun.headers['location']), url)
  location.searchParams.set('digest', digest)
  const { statusCode, body } = await request(location, { method: 'PUT', body: createReadStream(path), headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes) } })
  const text = await body.text()
  if (statusCode !== 201) throw new Error(`push of ${digest}: ${statusCode} ${text}`)
}
