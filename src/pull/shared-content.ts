import type { ContentKind, SharedContent, SharedPieces } from '../net/peers.ts'
import type { Digest } from '../oci/digest.ts'
import type { Store } from '../store/store.ts'
import { mayShare, type SharingPolicy } from './sharing.ts'

export interface StoreShareComponents {
  readonly store: Store
}

/** The store as other agents see it: what the sharing rule hides is missing, exactly as if it were not here. */
export class StoreShare implements SharedContent {
  readonly #store: Store
  readonly #policy: SharingPolicy

  constructor (components: StoreShareComponents, policy: SharingPolicy) {
    this.#store = components.store
    this.#policy = policy
  }

  async open (kind: ContentKind, digest: Digest): Promise<SharedPieces | undefined> {
    const record = await this.#store.stat(digest)
    if (record === undefined || record.kind !== kind || !mayShare(record.access, this.#policy)) return undefined
    const reader = await this.#store.open(digest)
    if (reader === undefined) return undefined
    return {
      size: record.size,
      restricted: record.access === 'restricted',
      read: (buffer, position) => reader.read(buffer, position),
      hash: async span => Buffer.from(await reader.hash(span), 'hex'),
      verify: async () => reader.verify(),
      stream: (span, options) => reader.stream(span, options),
      close: () => reader.close()
    }
  }
}
