import { readFile } from 'node:fs/promises'
import { YamlError } from '../../src/values/yaml-error.ts'
import { YamlFile } from '../../src/values/yaml-file.ts'
import { redactText } from '../redact.ts'
import { ConfigError } from './config-error.ts'

/** A configuration file; undefined when there is no such file. @throws ConfigError when it can't be read or is no YAML mapping */
export async function readYamlFile (file: string): Promise<YamlFile | undefined> {
  let text
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new ConfigError([`${file}: can't be read (${code ?? String(error)}); expected a readable YAML file`], { cause: error })
  }
  try {
    return YamlFile.parse(file, text)
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    // a file that is broken may well show a secret
    throw new ConfigError(error.problems.map(({ place, reason }) => `${place}: ${redactText(reason)}`), { cause: error })
  }
}
