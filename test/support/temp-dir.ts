import { rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { atProcessEnd } from './process-end.ts'

const REMOVAL = { recursive: true, force: true, maxRetries: 5 } as const

/** A directory of the test's own, gone at the latest when the test process ends. */
export async function makeTempDir (name: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `shoal-${name}-`))
  atProcessEnd(dir, () => { rmSync(dir, REMOVAL) })
  return dir
}

export async function removeTempDir (dir: string): Promise<void> {
  await rm(dir, REMOVAL)
  atProcessEnd(dir, undefined)
}
