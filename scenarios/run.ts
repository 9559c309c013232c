import { loadEngine } from './engines.ts'
import { Recorder } from './recorder.ts'
import type { EngineModules } from './engines.ts'
import type { EngineName, Result, RunProgress } from './result.ts'
import type { Scenario } from './scenario.ts'

/** `clean`: without faults, for expectations that are in units of that. */
export type RunPhase = 'clean' | 'run'

export interface RunOptions {
  readonly engine: EngineName
  /** The version that goes into the result. */
  readonly shoal: string
  /** @default none */
  readonly modules?: EngineModules
  /** Ends the run; its result is then partial. */
  readonly signal?: AbortSignal
  readonly onProgress?: (progress: RunProgress, phase: RunPhase) => void
}

/** Runs a scenario in this thread and judges it. @throws what makes the engine's run impossible */
export async function runScenario (scenario: Scenario, options: RunOptions): Promise<Result> {
  const clean = needsCleanRun(scenario) ? await runOnce({ ...scenario, faults: [], expect: [] }, 'clean', options) : undefined
  return runOnce(scenario, 'run', options, clean)
}

function needsCleanRun ({ expect }: Scenario): boolean {
  return expect.some(({ of }) => of === 'clean')
}

async function runOnce (scenario: Scenario, phase: RunPhase, { engine, shoal, modules, signal, onProgress }: RunOptions, clean?: Result): Promise<Result> {
  const run = await loadEngine(engine, modules)
  const recorder = new Recorder(scenario, { engine, shoal })
  const notes: string[] = []
  const end = await run(scenario, recorder, {
    onNote: note => { notes.push(note) },
    ...(signal === undefined ? {} : { signal }),
    ...(onProgress === undefined ? {} : { onProgress: progress => { onProgress(progress, phase) } })
  })
  return recorder.result({ ...end, notes, ...(clean === undefined ? {} : { clean }) })
}
