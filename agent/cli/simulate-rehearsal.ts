import { rehearse } from '../../scenarios/rehearse.ts'
import { readVersion } from '../version.ts'
import type { EngineName, Result } from '../../scenarios/result.ts'
import type { Scenario } from '../../scenarios/scenario.ts'
import type { CliContext } from './cli-context.ts'
import type { SimulateView } from './simulate-view.ts'

export interface RehearsalInit {
  readonly engine: EngineName
  /** What the view calls it. */
  readonly name: string
  readonly view: SimulateView | undefined
  readonly signal: AbortSignal
}

/** One run, shown as it goes. @throws RunError */
export async function showRehearsal (scenario: Scenario, { engine, name, view, signal }: RehearsalInit, { engineModules }: CliContext): Promise<Result> {
  try {
    return await rehearse(scenario, {
      engine,
      shoal: readVersion(),
      modules: engineModules ?? {},
      signal,
      onProgress: (progress, phase) => { view?.show(name, progress, phase) }
    })
  } finally {
    view?.remove(name)
  }
}
