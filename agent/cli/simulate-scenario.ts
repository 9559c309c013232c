import { loadScenario } from '../../scenarios/file/load.ts'
import { findScenario, scenarioNames } from '../../scenarios/library.ts'
import { nearestName } from '../../src/values/nearest.ts'
import { UsageError } from './cli-error.ts'
import type { Setting } from '../../scenarios/file/settings.ts'
import type { Scenario } from '../../scenarios/scenario.ts'

/** The scenario of a file or of the library, with settings in place of what it says. @throws UsageError, ScenarioFileError */
export async function readScenario (given: string, settings: readonly Setting[]): Promise<Scenario> {
  const path = await findScenario(given) ?? await refuse(given)
  return loadScenario(path, { set: settings })
}

async function refuse (given: string): Promise<never> {
  const nearest = nearestName(given, await scenarioNames())
  throw new UsageError(`${JSON.stringify(given)} is no file, and no scenario of the library; ${nearest === undefined ? '"shoal simulate --list" shows those' : `did you mean ${nearest}?`}`)
}
