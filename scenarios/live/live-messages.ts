import type { RunProgress } from '../result.ts'
import type { Scenario } from '../scenario.ts'
import type { ObserverCall } from './chronicle.ts'

/** What the process of a live run is told. */
export type LiveRequest =
  | { readonly type: 'run', readonly scenario: Scenario, readonly isPrivate: boolean, readonly hasDelay: boolean, readonly faultyMain: string | undefined }
  | { readonly type: 'stop' }

/** What it tells. */
export type LiveReply =
  | { readonly type: 'calls', readonly calls: readonly ObserverCall[] }
  | { readonly type: 'progress', readonly progress: RunProgress }
  | { readonly type: 'note', readonly note: string }
  | { readonly type: 'ended', readonly durationMs: number, readonly isPartial: boolean }
  | { readonly type: 'failed', readonly message: string, readonly stack: string | undefined }
