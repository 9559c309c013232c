import { parseScenario } from '../../../scenarios/file/load.ts'
import { ScenarioFileError } from '../../../scenarios/file/scenario-file-error.ts'
import type { Setting } from '../../../scenarios/file/settings.ts'

/** A whole scenario, as short as can be. */
export const SHORTEST = [
  'groups:',
  '  hosts: { count: 40, up: 100MB/s, down: 100MB/s }',
  'origin: { up: 100MB/s }',
  'images:',
  '  app: [200MB, 200MB]'
].join('\n')

/** What is wrong with a scenario, line by line; nothing when all is right. */
export function problemsIn (text: string, set: readonly Setting[] = []): readonly string[] {
  try {
    parseScenario('x.yaml', text, { set })
  } catch (error) {
    if (error instanceof ScenarioFileError) return error.problems
    throw error
  }
  return []
}
