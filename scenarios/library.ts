import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'

const EXTENSION = '.yaml'

/** Where the scenarios are that come with Shoal: beside this file, in a checkout and in the package. */
export const LIBRARY_DIRECTORY = import.meta.dirname

/** Names of the scenarios in the library, in alphabetical order. */
export async function scenarioNames (directory = LIBRARY_DIRECTORY): Promise<string[]> {
  const entries = await readdir(directory)
  return entries.filter(entry => entry.endsWith(EXTENSION)).map(entry => basename(entry, EXTENSION)).sort()
}

/** The path of a scenario that is given as a path or by its name in the library. What is a file wins. Undefined when it is neither. */
export async function findScenario (given: string, directory = LIBRARY_DIRECTORY): Promise<string | undefined> {
  if (await isFile(given)) return given
  return (await scenarioNames(directory)).includes(given) ? join(directory, `${given}${EXTENSION}`) : undefined
}

async function isFile (path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false
}
