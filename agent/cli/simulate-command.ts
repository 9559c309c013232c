import { simulateRequest } from './simulate-request.ts'
import type { CliContext } from './cli-context.ts'

/**
 * `shoal simulate SCENARIO`. Progress goes to stderr, what is to be kept to stdout and to files.
 * @throws UsageError, ScenarioFileError, RunError, ExpectationError, InterruptedError, OutputError, ResultFileError
 */
export async function runSimulateCommand (scenario: string | undefined, options: Readonly<Record<string, unknown>>, context: CliContext): Promise<void> {
  const request = simulateRequest(scenario, options)
  switch (request.type) {
    case 'list': {
      const { listScenarios } = await import('./simulate-list.ts')
      return listScenarios(request, context)
    }
    case 'compare': {
      const { compareResults } = await import('./simulate-compare.ts')
      return compareResults(request, context)
    }
    case 'run': {
      const { simulateOnce } = await import('./simulate-once.ts')
      return simulateOnce(request, context)
    }
    case 'both': {
      const { simulateBoth } = await import('./simulate-both.ts')
      return simulateBoth(request, context)
    }
    case 'sweep': {
      const { simulateSweep } = await import('./simulate-sweep.ts')
      return simulateSweep(request, context)
    }
    default:
      return request satisfies never
  }
}
