import { readFile } from 'node:fs/promises'
import { basename, extname } from 'node:path'
import { YamlError } from '../../src/values/yaml-error.ts'
import { YamlFile } from '../../src/values/yaml-file.ts'
import { assembleScenario } from './assembly.ts'
import { feasibilityProblems } from './feasibility/feasibility.ts'
import { problemsOf } from './problem.ts'
import { ScenarioFileError } from './scenario-file-error.ts'
import { scenarioFileSchema } from './schema.ts'
import { applySettings, sourceOf } from './settings.ts'
import type { Scenario } from '../scenario.ts'
import type { Problem } from './problem.ts'
import type { ScenarioFile } from './schema.ts'
import type { Setting, SetContent } from './settings.ts'

export interface LoadInit {
  /** In place of what the file says: `['origin.up', '1GB/s']`; `['hosts', '1000']` is all groups in proportion. @default none */
  readonly set?: readonly Setting[]
}

/** The scenario of a file, whole and possible. @throws ScenarioFileError naming all that is wrong */
export async function loadScenario (file: string, init: LoadInit = {}): Promise<Scenario> {
  let text
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code = String(error) } = error as NodeJS.ErrnoException
    throw new ScenarioFileError([`${file}: can't be read (${code}); expected a readable scenario file`], { cause: error })
  }
  return parseScenario(file, text, init)
}

/** The scenario of a text. @param file - its name for messages, and for the scenario where the text gives it none. @throws ScenarioFileError */
export function parseScenario (file: string, text: string, { set = [] }: LoadInit = {}): Scenario {
  const yaml = parseYaml(file, text)
  const given = applySettings(yaml.content, set)
  const refuse = (problems: readonly Problem[]): void => {
    const lines = [...given.problems, ...problems.map(problem => lineOf(problem, yaml, given))]
    if (lines.length > 0) throw new ScenarioFileError([...new Set(lines)])
  }
  const parsed = scenarioFileSchema.safeParse(given.content)
  refuse(parsed.error?.issues.flatMap(issue => problemsOf(issue, given.content)) ?? [])
  const content = parsed.data as ScenarioFile
  const { scenario, problems } = assembleScenario(content, { name: basename(file, extname(file)), hosts: given.hosts?.[1] })
  refuse(problems)
  refuse(feasibilityProblems(scenario, group => ['groups', Object.hasOwn(content.groups, group) ? group : group.replace(/-\d+$/, '')]))
  return scenario
}

function parseYaml (file: string, text: string): YamlFile {
  try {
    return YamlFile.parse(file, text)
  } catch (error) {
    if (error instanceof YamlError) throw new ScenarioFileError(error.message.split('\n'), { cause: error })
    throw error
  }
}

/** Blamed on the setting that put the value there, or what is around it; else on the place in the file. */
function lineOf ({ path, ofKey = false, text }: Problem, yaml: YamlFile, { sources, hosts }: SetContent): string {
  const key = path.join('.')
  if (key === 'hosts' && hosts !== undefined) return `${sourceOf(hosts)}: ${key}: ${text}`
  const keys = path.map((_, index) => path.slice(0, path.length - index).join('.'))
  const source = keys.map(part => sources.get(part)).find(name => name !== undefined)
  return `${source ?? yaml.locate(path, { ofKey })}: ${key === '' ? 'the file' : key}: ${text}`
}
