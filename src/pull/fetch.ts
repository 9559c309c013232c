import type { Digest } from '../oci/digest.ts'
import type { Repository } from '../oci/repository.ts'
import type { SpanSource } from '../store/store.ts'

/** A blob on its way in, shared by all who want it. */
export interface Fetch {
  readonly digest: Digest
  /** Milliseconds since the epoch. */
  readonly startedAt: number
  /** Fulfilled when the blob is in the store, rejected when it will not be. */
  readonly committed: Promise<void>
  /** Fulfilled when the fetch has let go of the partial blob. Never rejected. */
  readonly closed: Promise<void>
  /** Bytes in all; undefined until somebody who knows has said. */
  readonly size: number | undefined
  /** Bytes that are here. */
  readonly received: number
  readonly callers: number
  readonly sources: readonly SpanSource[]
  /** Whether a caller who joins now would be served. */
  readonly isJoinable: boolean
  /** Adds a caller, and the repository it reads the blob from. */
  join (repository: Repository): void
  /** Removes a caller; the work stops when the last has left, and keeps what it has. */
  leave (): void
  /** Ends the work whoever still waits for it; a blob that is verified already is committed all the same. */
  abandon (): void
  /**
   * Up to `buffer.length` bytes from `position`, as soon as one may be released; 0 at the end of the blob.
   * An empty buffer only waits.
   */
  read (buffer: Uint8Array, position: number, options?: { signal?: AbortSignal }): Promise<number>
}
