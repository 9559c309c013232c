/** How the front answers for the registry behind it. */
export interface OriginPolicy {
  /** Range is understood. */
  readonly hasRanges: boolean
  /** Of requests for content, answered by 429. */
  readonly rejectShare: number
  /** What it says to wait then. */
  readonly retryAfterMs: number
  /** Of all bodies together; Infinity: as fast as they come. */
  readonly bytesPerSecond: number
}

/** What is told to the process of the front. */
export type FrontRequest =
  | { readonly type: 'open', readonly host: string, readonly target: string, readonly seed: number }
  | { readonly type: 'policy', readonly policy: OriginPolicy }
  /** It takes no connection any more, and ends those it has. */
  | { readonly type: 'down' }
  | { readonly type: 'up' }

/** What it tells. Times are milliseconds since the epoch. */
export type FrontReply =
  | { readonly type: 'up', readonly port: number }
  | { readonly type: 'down' }
  | { readonly type: 'sent', readonly atMs: number, readonly bytes: number }
  /** An answer with content has ended. */
  | { readonly type: 'answered', readonly atMs: number, readonly bytes: number }
  | { readonly type: 'rejected', readonly atMs: number }
