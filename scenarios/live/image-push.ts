import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { request, type Dispatcher } from 'undici'
import { digestOf, finishDigest, type Digest } from '../../src/oci/digest.ts'
import type { LayerSpec } from '../scenario.ts'
import { contentOf } from './layer-content.ts'

const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar'
}

/** A layer of the scenario as the registry has it. */
export interface PushedLayer extends LayerSpec {
  readonly digest: Digest
  /** Its bytes are `contentOf` this. */
  readonly seed: string
}

/** An image of the scenario as the registry has it. */
export interface PushedImage {
  readonly name: string
  /** Of its manifest. */
  readonly digest: Digest
  readonly layers: readonly PushedLayer[]
}

export interface PushInit {
  /** Of the registry. */
  readonly url: string
  readonly repository: string
  readonly seed: number
}

/** Uploads a layer of random bytes as large as it is to be. Nobody unpacks it, so it is no tar. */
export async function pushLayer ({ url, repository, seed: runSeed }: PushInit, { name, bytes }: LayerSpec): Promise<PushedLayer> {
  const seed = `${runSeed} ${name}`
  const hash = createHash('sha256')
  const upload = await begin(url, repository)
  const next = await send(upload, { method: 'PATCH', body: Readable.from(hashed(seed, bytes, hash)), headers: { 'content-type': 'application/octet-stream' } }, 202)
  const digest = finishDigest(hash, 'sha256')
  await finish(next, digest)
  return { name, bytes, digest, seed }
}

/** Uploads config and manifest of an image whose layers are there. */
export async function pushImage ({ url, repository }: PushInit, name: string, layers: readonly PushedLayer[]): Promise<PushedImage> {
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', config: {}, rootfs: { type: 'layers', diff_ids: layers.map(({ digest }) => digest) }, history: layers.map(() => ({ created_by: name })) }))
  const configDigest = digestOf(config)
  const upload = await begin(url, repository)
  await finish(upload, configDigest, config)
  const manifest = Buffer.from(JSON.stringify({
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config: { mediaType: TYPES.config, digest: configDigest, size: config.length },
    layers: layers.map(({ digest, bytes }) => ({ mediaType: TYPES.layer, digest, size: bytes }))
  }))
  const digest = digestOf(manifest)
  await send(new URL(`/v2/${repository}/manifests/${digest}`, url), { method: 'PUT', body: manifest, headers: { 'content-type': TYPES.manifest } }, 201)
  return { name, digest, layers }
}

function * hashed (seed: string, bytes: number, hash: ReturnType<typeof createHash>): Generator<Buffer> {
  for (const chunk of contentOf(seed, bytes)) {
    hash.update(chunk)
    yield chunk
  }
}

/** @returns where the upload goes on */
async function begin (url: string, repository: string): Promise<URL> {
  return send(new URL(`/v2/${repository}/blobs/uploads/`, url), { method: 'POST' }, 202)
}

async function finish (upload: URL, digest: Digest, body?: Buffer): Promise<void> {
  upload.searchParams.set('digest', digest)
  await send(upload, { method: 'PUT', headers: { 'content-type': 'application/octet-stream' }, ...(body !== undefined && { body }) }, 201)
}

/** @returns the answer's Location */
async function send (url: URL, options: Omit<Dispatcher.RequestOptions, 'origin' | 'path'>, expected: number): Promise<URL> {
  const { statusCode, headers, body } = await request(url, options)
  const text = await body.text()
  if (statusCode !== expected) throw new Error(`${options.method} ${url.pathname}: ${statusCode} ${text}`)
  return new URL(String(headers.location ?? ''), url)
}
