import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadScenario } from '../../scenarios/file/load.ts'
import { LIBRARY_DIRECTORY, scenarioNames } from '../../scenarios/library.ts'
import { layersOf } from '../../scenarios/plan.ts'
import { runInThread } from '../../scenarios/run-thread.ts'
import type { Scenario } from '../../scenarios/scenario.ts'

/** Those that need minutes each run with a part of their hosts here, and whole by hand: `npx shoal simulate kraken-2600`. */
const LARGEST = ['kraken-2600', 'flash-crowd-10k']
const PART_HOSTS = '200'
/** What a part of the hosts must reach, in units of the bound and of the image. */
const PART_MAX = 1.35
const PART_ORIGIN = 1.05

const scenarios = await Promise.all((await scenarioNames()).filter(name => !LARGEST.includes(name)).map(async name => loadScenario(join(LIBRARY_DIRECTORY, `${name}.yaml`))))
// two run at a time: the longest first, so that no short one is waited for in the end
scenarios.sort((one, other) => bytesInAll(other) - bytesInAll(one))

describe.concurrent('of the library, in the simulation,', () => {
  it.each(scenarios)('$name shows what it expects', async scenario => {
    const { expectations, isPartial } = await runInThread(scenario, { engine: 'sim', shoal: 'test' })
    expect(isPartial).toBe(false)
    expect(expectations).toHaveLength(scenario.expect.length)
    expect(expectations.filter(({ isMet }) => !isMet)).toEqual([])
  })

  it.each(LARGEST)(`%s with ${PART_HOSTS} hosts brings the image to all of them, near the bound, and the origin sends it about once`, async name => {
    const scenario = await loadScenario(join(LIBRARY_DIRECTORY, `${name}.yaml`), { set: [['hosts', PART_HOSTS]] })
    const { bound, figures, imageBytes } = await runInThread(scenario, { engine: 'sim', shoal: 'test' })
    expect(figures['done.share']).toBe(1)
    expect(figures['wrong.bytes']).toBe(0)
    expect(figures['completion.max']).toBeLessThanOrEqual(PART_MAX * bound.ms)
    expect(figures['origin.bytes']).toBeLessThanOrEqual(PART_ORIGIN * imageBytes)
  })
})

function bytesInAll (scenario: Scenario): number {
  const hosts = scenario.groups.reduce((sum, { count }) => sum + count, 0)
  return hosts * layersOf(scenario, scenario.pulls.flatMap(({ images }) => images)).reduce((sum, { bytes }) => sum + bytes, 0)
}
