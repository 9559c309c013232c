import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import { MEDIA_TYPES } from '../oci/media-types.ts'
import { readManifest, type Descriptor } from '../oci/manifest.ts'
import { referrerDescriptor, referrersIndex, type ReferrersIndex } from '../oci/referrers.ts'
import { repositoryKey, type Repository } from '../oci/repository.ts'
import type { Origin } from '../origin/origin.ts'
import type { Store } from '../store/store.ts'
import type { Manifests } from './manifests.ts'

/** Manifests of a repository looked through for a subject when the origin cannot be asked. */
const MAX_MANIFESTS_READ = 1000

export interface ReferrersComponents {
  readonly store: Store
  readonly origin: Origin
  readonly manifests: Manifests
}

/**
 * What refers to a manifest: the origin's own list; where it has no such endpoint, its tag `sha256-<hex>` (OCI
 * distribution spec 1.1, "Referrers Tag Schema"); where it cannot be asked, what is in the store.
 */
export async function listReferrers (components: ReferrersComponents, repository: Repository, digest: Digest, artifactType: string | undefined, { signal }: { signal?: AbortSignal } = {}): Promise<ReferrersIndex & { readonly isStale: boolean }> {
  const { descriptors, isStale } = await ask(components, repository, digest, signal)
  return { ...referrersIndex(descriptors, artifactType), isStale }
}

async function ask (components: ReferrersComponents, repository: Repository, digest: Digest, signal: AbortSignal | undefined): Promise<{ descriptors: readonly Descriptor[], isStale: boolean }> {
  const { origin } = components
  for (const question of [
    async () => origin.referrers(repository, digest, { signal }),
    async () => (await origin.manifest(repository, digest.replace(':', '-').slice(0, 128), { signal })).bytes
  ]) {
    try {
      const document = readManifest(await question(), { mediaType: MEDIA_TYPES.ociIndex })
      if (document.type === 'index') return { descriptors: document.manifests, isStale: false }
    } catch (error) {
      signal?.throwIfAborted()
      if (!(error instanceof ShoalError)) throw error
      if (error.code !== 'ORIGIN_NOT_FOUND') return { descriptors: await stored(components, repository, digest, signal), isStale: true }
    }
  }
  return { descriptors: [], isStale: false }
}

async function stored ({ store, manifests }: ReferrersComponents, repository: Repository, subject: Digest, signal: AbortSignal | undefined): Promise<Descriptor[]> {
  const found: Descriptor[] = []
  let read = 0
  for (const digest of await store.links.linked(repositoryKey(repository))) {
    signal?.throwIfAborted()
    if ((await store.stat(digest))?.kind !== 'manifest') continue
    if (++read > MAX_MANIFESTS_READ) break
    const content = await manifests.stored(digest)
    if (content?.document.subject?.digest === subject) found.push(referrerDescriptor(content.document, digest, content.bytes.length))
  }
  return found
}
