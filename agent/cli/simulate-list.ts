import { join } from 'node:path'
import { loadScenario } from '../../scenarios/file/load.ts'
import { LIBRARY_DIRECTORY, scenarioNames } from '../../scenarios/library.ts'
import { textTable } from '../../src/values/human.ts'
import type { CliContext } from './cli-context.ts'
import type { SimulateOutput } from './simulate-request.ts'

/** `shoal simulate --list`: a line for each scenario of the library. */
export async function listScenarios ({ asJson }: SimulateOutput, { stdout }: CliContext): Promise<void> {
  const names = await scenarioNames()
  const scenarios = await Promise.all(names.map(async name => {
    const file = join(LIBRARY_DIRECTORY, `${name}.yaml`)
    const { description, groups } = await loadScenario(file)
    return { name, file, hosts: groups.reduce((sum, { count }) => sum + count, 0), description }
  }))
  if (asJson) stdout.write(`${JSON.stringify(scenarios, undefined, 2)}\n`)
  else stdout.write(textTable([['NAME', 'HOSTS', 'WHAT IT SHOWS'], ...scenarios.map(({ name, hosts, description }) => [name, String(hosts), firstSentence(description)])]))
}

function firstSentence (text: string): string {
  const plain = text.replace(/\s+/g, ' ').trim()
  return /^.*?[.:;](?= |$)/.exec(plain)?.[0].slice(0, -1) ?? plain
}
