import { spawn } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const REMOVAL = { recursive: true, force: true, maxRetries: 5 } as const
/** Waits for the end of its input, that is of this process, and a moment more for the processes that die with it. */
const SWEEP = 'cat >/dev/null; for pause in 0 0.2 1 5; do sleep "$pause"; rm -rf "$0" && exit; done'

let root: string | undefined

/**
 * A directory of this process's own, gone at the latest when the process is: what ends by a signal, as workers of test runners
 * do, has no time to remove anything, so another process does it.
 */
export async function makeTempDir (name: string): Promise<string> {
  root ??= makeRoot()
  return mkdtemp(join(root, `${name}-`))
}

export async function removeTempDir (dir: string): Promise<void> {
  await rm(dir, REMOVAL)
}

function makeRoot (): string {
  const dir = mkdtempSync(join(tmpdir(), 'shoal-'))
  const sweeper = spawn('sh', ['-c', SWEEP, dir], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  sweeper.unref()
  // Neither end of the pipe may keep this process alive; its end is what the sweeper waits for.
  const input = sweeper.stdin as typeof sweeper.stdin & { unref (): void }
  input.unref()
  return dir
}
