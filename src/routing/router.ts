import type { Digest } from '../oci/digest.ts'

/** A peer that says it holds a blob; `addresses` are multiaddrs in text form, perhaps none. */
export interface Provider {
  /** Peer id in text form. */
  readonly peer: string
  readonly addresses: readonly string[]
}

export interface RouterOptions {
  signal?: AbortSignal
}

/** Finds who holds a blob. Implementations: `dht.ts` and `memory.ts`, one contract suite. */
export interface Router {
  /** Whether an announcement would reach anybody now. */
  isReady (): boolean
  /** Announces that we hold the blob, and keeps it announced until withdrawn. @throws RouterNotReadyError */
  provide (digest: Digest, options?: RouterOptions): Promise<void>
  /** Stops announcing. Others forget when their record expires; asked until then, we answer `missing`. */
  withdraw (digest: Digest, options?: RouterOptions): Promise<void>
  /**
   * Whether a search could name anybody but these, who have been asked already or will be. False only where all agents of the swarm are
   * known to be among them: a walk would cost both sides of each step some milliseconds of the processor and tell nothing.
   */
  mayKnowMore (asked: ReadonlySet<string>): boolean
  /** Others that hold the blob, never ourselves, each once, as they are found. Ends by itself or with the signal. */
  findProviders (digest: Digest, options?: RouterOptions): AsyncIterable<Provider>
}

/** A router that says when it becomes able to reach somebody. */
export interface WatchableRouter extends Router {
  /** Called each time `isReady` turns from false to true. @returns a function that ends the subscription */
  onReady (listener: () => void): () => void
}
