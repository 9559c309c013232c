import type { ShoalEvent } from '../events.ts'
import type { Digest } from '../oci/digest.ts'
import type { Store } from '../store/store.ts'
import { mayShare, type SharingPolicy } from './sharing.ts'

/** Keeps digests announced; see `Announcer` in src/routing. */
export interface Announcements {
  announce (digest: Digest): void
  withdraw (digest: Digest): void
}

export interface PublicationComponents {
  readonly store: Store
  readonly announcements: Announcements
}

/** Announces what the store holds and the sharing rule allows, as it comes and goes. */
export class Publication {
  readonly #components: PublicationComponents
  readonly #policy: SharingPolicy

  constructor (components: PublicationComponents, policy: SharingPolicy) {
    this.#components = components
    this.#policy = policy
  }

  /** Announces what is in the store already. */
  async start ({ signal }: { signal?: AbortSignal } = {}): Promise<void> {
    for await (const record of this.#components.store.records()) {
      signal?.throwIfAborted()
      if (mayShare(record.access, this.#policy)) this.#components.announcements.announce(record.digest)
    }
  }

  /** Follows the store; subscribe it to the event hub. */
  readonly handle = (event: ShoalEvent): void => {
    const { announcements } = this.#components
    switch (event.type) {
      case 'blob:committed':
        if (mayShare(event.record.access, this.#policy)) announcements.announce(event.record.digest)
        break
      case 'blob:removed':
        announcements.withdraw(event.record.digest)
        break
      case 'blob:quarantined':
        announcements.withdraw(event.digest)
        break
      default:
    }
  }
}
