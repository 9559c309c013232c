import { runScenario } from './run.ts'
import { runInThread } from './run-thread.ts'
import type { Result } from './result.ts'
import type { RunOptions } from './run.ts'
import type { Scenario } from './scenario.ts'

/**
 * Runs a scenario where its engine belongs: a simulation in a thread of its own; real agents from this one, which mostly waits
 * and whose end is the end of what it started. @throws what makes the run impossible
 */
export async function rehearse (scenario: Scenario, options: RunOptions): Promise<Result> {
  switch (options.engine) {
    case 'sim': return runInThread(scenario, options)
    case 'live': return runScenario(scenario, options)
    default: return options.engine satisfies never
  }
}
