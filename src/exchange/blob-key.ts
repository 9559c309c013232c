import type { ContentKind } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'

/** Tells what agents exchange from each other: the same bytes may be wanted as a blob and as a manifest. */
export function blobKey (kind: ContentKind, digest: Digest): string {
  return `${kind} ${digest}`
}
