import type { EventHub } from '../events.ts'
import type { Digest } from '../oci/digest.ts'
import { children, isManifestDescriptor, type Descriptor, type ManifestDocument, type Platform } from '../oci/manifest.ts'
import { ociError } from '../oci/oci-error.ts'
import { formatReference, type Reference } from '../oci/reference.ts'
import type { Repository } from '../oci/repository.ts'
import type { Puller } from './puller.ts'

/** Blobs of an image fetched at once. */
const MAX_BLOBS_AT_ONCE = 4

/** Bytes of a blob by where they came from. */
export interface BytesBySource {
  readonly fromPeers: number
  readonly fromOrigin: number
  readonly fromStore: number
}

export type ImagePullEvent =
  | { readonly type: 'manifest', readonly reference: string, readonly digest: Digest, readonly mediaType: string, readonly stale?: boolean }
  | { readonly type: 'layer', readonly digest: Digest, readonly size: number, readonly mediaType: string }
  | { readonly type: 'progress', readonly digest: Digest, readonly received: number, readonly size: number } & BytesBySource
  | { readonly type: 'layer-done', readonly digest: Digest, readonly size: number, readonly durationMs: number } & BytesBySource
  | { readonly type: 'done', readonly digest: Digest, readonly size: number, readonly durationMs: number } & BytesBySource

export interface ImagePullComponents {
  readonly puller: Puller
  readonly events: EventHub
  readonly now: () => number
}

export interface ImagePullInit {
  readonly reference: Reference
  readonly repository: Repository
  /** Which image of an index; all of them when undefined. */
  readonly platform?: Platform
  readonly onEvent: (event: ImagePullEvent) => void
}

/**
 * Brings a whole image into the store: its manifest, the manifests of an index that the platform asks for, and all
 * their blobs, a few at a time.
 * @throws OciError MANIFEST_UNKNOWN naming the platforms there are, when none fits; else as `Puller`
 */
export async function pullImage (components: ImagePullComponents, init: ImagePullInit, { signal }: { signal?: AbortSignal } = {}): Promise<void> {
  const { puller, now } = components
  const { reference, repository, platform, onEvent } = init
  const startedAt = now()
  const { tag = 'latest', digest } = reference
  const top = await puller.manifest(repository, digest === undefined ? { tag } : { digest }, { signal })
  onEvent({ type: 'manifest', reference: formatReference(reference), digest: top.digest, mediaType: top.mediaType, stale: top.stale !== undefined })
  const blobs = await listBlobs(init, puller, top.document, platform, signal)
  for (const { digest, size, mediaType } of blobs) onEvent({ type: 'layer', digest, size, mediaType })
  const total = { size: 0, fromPeers: 0, fromOrigin: 0, fromStore: 0 }
  await inTurns(blobs, MAX_BLOBS_AT_ONCE, signal, async (descriptor, signal) => {
    const bytes = await pullBlob(components, init, descriptor, signal)
    total.size += descriptor.size
    total.fromPeers += bytes.fromPeers
    total.fromOrigin += bytes.fromOrigin
    total.fromStore += bytes.fromStore
  })
  onEvent({ type: 'done', digest: top.digest, ...total, durationMs: now() - startedAt })
}

async function listBlobs ({ repository, onEvent }: Pick<ImagePullInit, 'repository' | 'onEvent'>, puller: Puller, document: ManifestDocument, platform: Platform | undefined, signal: AbortSignal | undefined): Promise<Descriptor[]> {
  if (document.type === 'manifest') return children(document).filter(descriptor => !descriptor.foreign)
  const blobs = new Map<Digest, Descriptor>()
  for (const descriptor of choose(document.manifests, platform)) {
    const content = await puller.manifest(repository, { digest: descriptor.digest }, { signal })
    onEvent({ type: 'manifest', reference: `${repository.registry}/${repository.name}@${content.digest}`, digest: content.digest, mediaType: content.mediaType })
    for (const blob of await listBlobs({ repository, onEvent }, puller, content.document, platform, signal)) blobs.set(blob.digest, blob)
  }
  return [...blobs.values()]
}

function choose (manifests: readonly Descriptor[], platform: Platform | undefined): readonly Descriptor[] {
  if (platform === undefined) return manifests.filter(isManifestDescriptor)
  const fitting = manifests.filter(({ platform: offered }) => offered !== undefined && fits(offered, platform))
  const [first] = fitting
  if (first !== undefined) return [first]
  const offered = manifests.flatMap(({ platform }) => platform === undefined || platform.os === 'unknown' ? [] : [platformText(platform)])
  throw ociError('MANIFEST_UNKNOWN', { message: `the image has no ${platformText(platform)}; it has ${offered.join(', ') || 'no platform at all'}`, detail: { platform, offered } })
}

function fits (offered: Platform, wanted: Platform): boolean {
  return offered.os === wanted.os && offered.architecture === wanted.architecture && (wanted.variant === undefined || offered.variant === wanted.variant)
}

function platformText ({ os, architecture, variant }: Platform): string {
  return [os, architecture, variant].filter(part => part !== undefined).join('/')
}

async function pullBlob ({ puller, events, now }: ImagePullComponents, { repository, onEvent }: ImagePullInit, { digest, size }: Descriptor, signal: AbortSignal): Promise<BytesBySource> {
  const startedAt = now()
  let fromPeers = 0
  let fromOrigin = 0
  const unsubscribe = events.subscribe(event => {
    if (event.type !== 'fetch:received' || event.digest !== digest) return
    if (event.source === 'origin') fromOrigin += event.bytes
    else fromPeers += event.bytes
    onEvent({ type: 'progress', digest, received: Math.min(size, fromPeers + fromOrigin), size, fromPeers, fromOrigin, fromStore: 0 })
  })
  try {
    await puller.blobs.fetch(repository, digest, { signal })
  } finally {
    unsubscribe()
  }
  const bytes = { fromPeers, fromOrigin, fromStore: Math.max(0, size - fromPeers - fromOrigin) }
  onEvent({ type: 'layer-done', digest, size, ...bytes, durationMs: now() - startedAt })
  return bytes
}

/** Works through the items, a few at a time; the first failure stops all. */
async function inTurns<T> (items: readonly T[], width: number, signal: AbortSignal | undefined, work: (item: T, signal: AbortSignal) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  const either = signal === undefined ? stop.signal : AbortSignal.any([signal, stop.signal])
  const queue = [...items]
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
      either.throwIfAborted()
      await work(item, either)
    }
  }
  const workers = Array.from({ length: Math.min(width, items.length) }, worker)
  try {
    await Promise.all(workers)
  } catch (error) {
    stop.abort(error)
    await Promise.allSettled(workers)
    throw error
  }
}
