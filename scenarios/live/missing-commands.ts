import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Those of the commands that are not on the path. */
export function missingCommands (...commands: readonly string[]): string[] {
  return commands.filter(command => !isOnPath(command))
}

function isOnPath (command: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some(directory => {
    try {
      accessSync(join(directory, command), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
