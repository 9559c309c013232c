import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadScenario } from '../../scenarios/file/load.ts'
import { LIBRARY_DIRECTORY } from '../../scenarios/library.ts'
import { resultText } from '../../scenarios/result-file.ts'
import { runInThread } from '../../scenarios/run-thread.ts'
import { runScenario } from '../../scenarios/run.ts'
import type { RunOptions } from '../../scenarios/run.ts'
import type { Scenario } from '../../scenarios/scenario.ts'

const options: RunOptions = { engine: 'sim', shoal: 'test' }

async function scenarioOf (name: string, ...set: ReadonlyArray<readonly [string, string]>): Promise<Scenario> {
  return loadScenario(join(LIBRARY_DIRECTORY, `${name}.yaml`), { set })
}

describe('the same seed gives the same bytes of result, wherever it runs,', () => {
  it.each([
    ['sixteen-hosts', []],
    ['cold-cluster', [['hosts', '16']]],
    // at random: who is refused, who lies, who is slow, who leaves
    ['registry-outage', [['hosts', '24']]],
    ['poison', [['hosts', '40']]],
    ['slow-tail', [['hosts', '50']]],
    ['conference-hall', [['groups.laptops.count', '20'], ['groups.laptops.churn.stay', '1m']]]
  ] as const)('of %s', async (name, set) => {
    const scenario = await scenarioOf(name, ...set)
    const here = resultText(await runScenario(scenario, options))
    expect(resultText(await runInThread(scenario, options))).toBe(here)
  })
})

it('another seed gives another run', async () => {
  const [one, other] = [await scenarioOf('eight-hosts'), await scenarioOf('eight-hosts', ['seed', '2'])]
  const [first, second] = [await runScenario(one, options), await runScenario(other, options)]
  expect(second.scenario).toEqual({ ...first.scenario, seed: 2 })
  expect(second.hosts).not.toEqual(first.hosts)
})
