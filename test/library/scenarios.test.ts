import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadScenario } from '../../scenarios/file/load.ts'
import { LIBRARY_DIRECTORY, scenarioNames } from '../../scenarios/library.ts'
import { layersOf } from '../../scenarios/plan.ts'
import { runInThread } from '../../scenarios/run-thread.ts'
import type { Scenario } from '../../scenarios/scenario.ts'

const scenarios = await Promise.all((await scenarioNames()).map(async name => loadScenario(join(LIBRARY_DIRECTORY, `${name}.yaml`))))
// two run at a time: the longest first, so that no short one is waited for in the end
scenarios.sort((one, other) => bytesInAll(other) - bytesInAll(one))

describe.concurrent('of the library, in the simulation,', () => {
  it.each(scenarios)('$name shows what it expects', async scenario => {
    const { expectations, isPartial } = await runInThread(scenario, { engine: 'sim', shoal: 'test' })
    expect(isPartial).toBe(false)
    expect(expectations).toHaveLength(scenario.expect.length)
    expect(expectations.filter(({ isMet }) => !isMet)).toEqual([])
  })
})

function bytesInAll (scenario: Scenario): number {
  const hosts = scenario.groups.reduce((sum, { count }) => sum + count, 0)
  return hosts * layersOf(scenario, scenario.pulls.flatMap(({ images }) => images)).reduce((sum, { bytes }) => sum + bytes, 0)
}
