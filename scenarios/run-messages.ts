import type { EngineModules } from './engines.ts'
import type { EngineName, Result, RunProgress } from './result.ts'
import type { RunPhase } from './run.ts'
import type { Scenario } from './scenario.ts'

/** What the thread of a run is given when it starts. */
export interface RunJob {
  readonly scenario: Scenario
  readonly engine: EngineName
  readonly shoal: string
  readonly modules: EngineModules
}

/** What it is told. */
export interface RunRequest {
  readonly type: 'stop'
}

/** What it tells. `isExpected`: the message is for people, there is nothing to find in the stack. */
export type RunReply =
  | { readonly type: 'progress', readonly progress: RunProgress, readonly phase: RunPhase }
  | { readonly type: 'result', readonly result: Result }
  | { readonly type: 'failed', readonly isExpected: boolean, readonly code: string | undefined, readonly message: string, readonly stack: string | undefined }
