import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { findScenario, scenarioNames } from '../../scenarios/library.ts'

async function libraryOf (names: readonly string[]): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'shoal-library-'))
  onTestFinished(async () => { await rm(directory, { recursive: true, force: true }) })
  for (const name of names) await writeFile(join(directory, name), '')
  return directory
}

it('names what is a scenario, in order', async () => {
  const directory = await libraryOf(['poison.yaml', 'plan.ts', 'cold-cluster.yaml'])
  expect(await scenarioNames(directory)).toEqual(['cold-cluster', 'poison'])
})

it('finds a file by its path and a scenario of the library by its name', async () => {
  const directory = await libraryOf(['poison.yaml'])
  const path = join(directory, 'poison.yaml')
  expect(await findScenario(path, directory)).toBe(path)
  expect(await findScenario('poison', directory)).toBe(path)
  expect(await findScenario('poisson', directory)).toBeUndefined()
  expect(await findScenario('../poison', directory)).toBeUndefined()
})

it('takes no directory for a file', async () => {
  const directory = await libraryOf(['poison.yaml'])
  await mkdir(join(directory, 'poison'))
  expect(await findScenario(join(directory, 'poison'), directory)).toBeUndefined()
})
