import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { boundCommand } from '../../scenarios/live/child-process.ts'

const INSIDE = 'BENCH_PRIVATE_NETWORK'

/** True in a process that `enterPrivateNetwork` started. */
export function isInPrivateNetwork (): boolean {
  return process.env[INSIDE] === '1'
}

/**
 * Runs this very command again in a network namespace of its own, so that no bridge or address of ours is ever seen in
 * the machine's own network, and two benchmarks can run side by side.
 *
 * @returns its exit code
 */
export async function enterPrivateNetwork (): Promise<number> {
  const child = spawn(...boundCommand('unshare', ['--net', '--', process.execPath, ...process.argv.slice(1)]), { stdio: 'inherit', env: { ...process.env, [INSIDE]: '1' } })
  // Ctrl-C reaches it as well; this process waits for its end.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => { child.kill('SIGTERM') })
  const [code] = await once(child, 'exit') as [number | null]
  return code ?? 1
}
