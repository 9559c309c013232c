import { join } from 'node:path'
import { runCommand } from '../../scenarios/live/child-process.ts'

const MAIN = join(import.meta.dirname, '../../agent/main.ts')

/** Arguments that hold an agent to that pace, up and down; undefined when it has no such options. */
export async function capArguments (bytesPerSecond: number): Promise<string[] | undefined> {
  const { stdout } = await runCommand(process.execPath, [MAIN, 'agent', '--help'])
  const options = ['--upload-limit', '--download-limit']
  if (!options.every(option => stdout.includes(option))) return undefined
  return options.flatMap(option => [option, `${bytesPerSecond / 1e6}MB/s`])
}
