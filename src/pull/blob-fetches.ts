import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import { BlobFetch, type BlobFetchComponents, type BlobFetchInit } from './blob-fetch.ts'
import { FetchAbandonedError } from './errors.ts'
import type { Fetch } from './fetch.ts'
import { abortable } from '../shared-work.ts'
import { SwarmFetch, type SwarmFetchComponents, type SwarmFetchInit } from './swarm-fetch.ts'

/** What a fetch has done so far, for status pages. */
export interface FetchStatus {
  readonly digest: Digest
  readonly size: number | undefined
  readonly received: number
  readonly callers: number
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  readonly sources: readonly string[]
}

/** One caller's hold on a fetch. Leave it when done, however it ended. */
export interface FetchHold {
  readonly fetch: Fetch
  leave: () => void
}

/** The part of a swarm in a fetch. Without one, blobs are read from one source after another. */
export interface SwarmParts extends Omit<SwarmFetchComponents, keyof BlobFetchComponents>, Pick<SwarmFetchInit, 'originPolicy' | 'stallMs'> {}

export interface BlobFetchesComponents extends BlobFetchComponents {
  readonly swarm?: SwarmParts
}

/** Digests whose size was in doubt, for which a swarm cannot agree on pieces. */
const MAX_DOUBTFUL = 256

/** The fetches under way, one a digest. */
export class BlobFetches {
  readonly #components: BlobFetchesComponents
  readonly #fetches = new Map<Digest, Fetch>()
  readonly #doubtful = new Set<Digest>()
  #isStopped = false

  constructor (components: BlobFetchesComponents) {
    this.#components = components
  }

  /**
   * Joins the fetch of a digest, or starts it. Undefined when one ended while we waited for it to let go: look in the
   * store again.
   * @throws FetchAbandonedError after `stop`
   */
  async join (repository: Repository, digest: Digest, init: BlobFetchInit, { signal }: { signal?: AbortSignal } = {}): Promise<FetchHold | undefined> {
    const current = this.#fetches.get(digest)
    if (current !== undefined && !current.isJoinable) {
      await abortable(current.closed, signal)
      return undefined
    }
    signal?.throwIfAborted()
    if (this.#isStopped) throw new FetchAbandonedError(digest)
    const fetch = current ?? this.#start(digest, init)
    fetch.join(repository)
    let hasLeft = false
    return {
      fetch,
      leave: () => {
        if (!hasLeft) fetch.leave()
        hasLeft = true
      }
    }
  }

  status (): FetchStatus[] {
    return [...this.#fetches.values()].map(({ digest, size, received, callers, startedAt, sources }) => ({ digest, size, received, callers, startedAt, sources }))
  }

  /** Abandons all fetches and begins no other; what they have is kept. */
  async stop (): Promise<void> {
    this.#isStopped = true
    const fetches = [...this.#fetches.values()]
    for (const fetch of fetches) fetch.abandon()
    await Promise.all(fetches.map(async fetch => { await fetch.closed }))
  }

  /** The size of this blob may not be what we were told: the next fetch, and no other, finds it out by itself. */
  doubt (digest: Digest): void {
    if (this.#doubtful.size === MAX_DOUBTFUL) this.#doubtful.clear()
    this.#doubtful.add(digest)
  }

  #make (digest: Digest, { size, ...init }: BlobFetchInit): Fetch {
    const { swarm, ...components } = this.#components
    if (swarm === undefined || size === undefined || this.#doubtful.delete(digest)) return new BlobFetch({ ...components, limit: swarm?.budget }, digest, { size, ...init })
    return new SwarmFetch({ ...components, ...swarm }, digest, { ...init, size, originPolicy: swarm.originPolicy, stallMs: swarm.stallMs })
  }

  #start (digest: Digest, init: BlobFetchInit): Fetch {
    const fetch = this.#make(digest, init)
    this.#fetches.set(digest, fetch)
    fetch.closed.then(() => { this.#fetches.delete(digest) }, () => {})
    return fetch
  }
}
