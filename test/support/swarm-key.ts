import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Writes the key of a closed swarm, the same for the same hexadecimal digit. @returns its file */
export async function writeSwarmKey (dir: string, digit: string): Promise<string> {
  const path = join(dir, `swarm-${digit}.key`)
  await writeFile(path, `/key/swarm/psk/1.0.0/\n/base16/\n${digit.repeat(64)}\n`)
  return path
}
