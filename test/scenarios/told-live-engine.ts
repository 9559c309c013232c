import { ShoalError } from '../../src/errors.ts'
import { toldEngine } from './told-engine.ts'
import type { Engine } from '../../scenarios/result.ts'

class UnrealError extends ShoalError {
  override readonly code = 'UNREAL'
}

/** As the told engine, but a scenario that is `unreal` can't be run, and one that is `slower when real` takes twice as long. */
export const engine: Engine = async (scenario, observer, options) => {
  if (scenario.description.includes('unreal')) throw new UnrealError('not here')
  return toldEngine(scenario.description.includes('slower') ? 2000 : 1000)(scenario, observer, options)
}
