import type { Digest } from './oci/digest.ts'
import type { SpanSource, StoreEvent } from './store/store.ts'

/** All that happens to a blob on its way in, to a tag, a peer or the store. Log, metrics, CLI progress and tests read it; nothing is steered by it. */
export type ShoalEvent =
  | StoreEvent
  | { readonly type: 'fetch:started', readonly digest: Digest, readonly size?: number, readonly resumedAt: number }
  | { readonly type: 'fetch:source', readonly digest: Digest, readonly source: SpanSource, readonly start: number }
  | { readonly type: 'fetch:received', readonly digest: Digest, readonly source: SpanSource, readonly bytes: number }
  | { readonly type: 'fetch:source-failed', readonly digest: Digest, readonly source: SpanSource, readonly at: number, readonly code: string, readonly reason: string }
  | { readonly type: 'fetch:mismatch', readonly digest: Digest, readonly sources: readonly SpanSource[] }
  | { readonly type: 'fetch:completed', readonly digest: Digest, readonly size: number, readonly durationMs: number }
  | { readonly type: 'fetch:failed', readonly digest: Digest, readonly code: string, readonly reason: string }
  | { readonly type: 'fetch:abandoned', readonly digest: Digest, readonly at: number }
  | { readonly type: 'tag:resolved', readonly repository: string, readonly tag: string, readonly digest: Digest, readonly stale: boolean }
  | { readonly type: 'peer:banned', readonly peer: string, readonly reason: string, readonly digest?: Digest, readonly untilMs: number }
  | { readonly type: 'peer:accused', readonly peer: string, readonly by: string, readonly digest: Digest, readonly pieces: readonly number[], readonly repeated: boolean }
  | { readonly type: 'peer:connected', readonly peer: string }
  | { readonly type: 'peer:disconnected', readonly peer: string }
  | { readonly type: 'peer:served', readonly peer: string, readonly digest: Digest, readonly bytes: number }
  | { readonly type: 'bootstrap:unreachable', readonly addresses: readonly string[], readonly reason: string }
  | { readonly type: 'bootstrap:joined', readonly peer: string }
  | { readonly type: 'provide:done', readonly digest: Digest, readonly durationMs: number }
  | { readonly type: 'provide:failed', readonly digest: Digest, readonly reason: string }

export type ShoalEventListener = (event: ShoalEvent, timestamp: number) => void

/** Where rooms report to. A listener that throws is the listener's fault: it stops nobody else. */
export interface EventSink {
  emit (event: ShoalEvent): void
}

/** Fans events out to its listeners, synchronously and in order. */
export class EventHub implements EventSink {
  readonly #listeners = new Set<ShoalEventListener>()
  readonly #now: () => number

  constructor (now: () => number = Date.now) {
    this.#now = now
  }

  /** @returns a function that ends the subscription */
  subscribe (listener: ShoalEventListener): () => void {
    this.#listeners.add(listener)
    return () => { this.#listeners.delete(listener) }
  }

  emit (event: ShoalEvent): void {
    const timestamp = this.#now()
    for (const listener of this.#listeners) {
      try {
        listener(event, timestamp)
      } catch (error) {
        queueMicrotask(() => { throw error })
      }
    }
  }
}
