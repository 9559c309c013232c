import { Option } from 'commander'
import { configKeys } from '../config/keys.ts'
import type { ConfigKey } from '../config/keys.ts'
import type { FlagValues } from '../config/load.ts'
import type { Command } from 'commander'

const TIMEOUTS_GROUP = 'Deadlines:'

/** Adds an option for each configuration key. */
export function addConfigOptions (command: Command): void {
  for (const key of configKeys) {
    for (const option of optionsOf(key)) command.addOption(option)
  }
}

/** The configuration keys among parsed options, as the loader takes them. */
export function flagValues (options: Readonly<Record<string, unknown>>): FlagValues {
  const values: Record<string, string | boolean | readonly string[]> = {}
  for (const key of configKeys) {
    const value = options[new Option(key.flag).attributeName()]
    if (typeof value === 'string' || typeof value === 'boolean') values[key.name] = value
    if (Array.isArray(value)) values[key.name] = value.map(String)
  }
  return values
}

function optionsOf (key: ConfigKey): Option[] {
  const text = key.description.replaceAll('`', '')
  if (key.shape === 'switch') {
    // Shown is the one that changes something.
    const isOn = key.defaultText === 'true'
    return [new Option(key.flag, text).hideHelp(isOn), new Option(key.flag.replace('--', '--no-'), `Off: ${text}`).hideHelp(!isOn)]
  }
  const description = key.defaultText === undefined ? text : `${text} (default: ${key.defaultText})`
  const option = new Option(`${key.flag} <${key.argument ?? 'VALUE'}${key.shape === 'value' ? '' : '...'}>`, description)
  if (key.choices !== undefined) option.choices([...key.choices])
  if (key.path.length > 1) option.helpGroup(TIMEOUTS_GROUP)
  return [option]
}
