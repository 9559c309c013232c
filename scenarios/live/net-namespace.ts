import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { boundCommand } from './child-process.ts'
import { runLines } from './shell-lines.ts'

const OPEN_TIMEOUT_MS = 5_000

/**
 * A network namespace without a name. A `cat` that waits for the end of its input holds it, so the kernel takes it away,
 * with all links in it, when this process is gone, however that ends: nothing to clean up, nothing left behind.
 */
export class NetNamespace {
  readonly #holder: ChildProcess

  private constructor (holder: ChildProcess) {
    this.#holder = holder
  }

  static async open (): Promise<NetNamespace> {
    const holder = spawn(...boundCommand('unshare', ['--net', '--', 'cat']), { stdio: ['pipe', 'pipe', 'inherit'] })
    // The echo tells that unshare has done its work.
    holder.stdin.write('\n')
    await once(holder.stdout, 'data', { signal: AbortSignal.timeout(OPEN_TIMEOUT_MS) })
    return new NetNamespace(holder)
  }

  /** Of its holder: `ip link` takes it in place of a name. */
  get pid (): number {
    if (this.#holder.pid === undefined) throw new Error('the namespace is not open')
    return this.#holder.pid
  }

  /** Command that runs its further arguments in the namespace, and is replaced by them. */
  get runner (): readonly string[] {
    return ['nsenter', `--net=/proc/${this.pid}/ns/net`, '--']
  }

  /** Runs lines of shell in it. @throws CommandError at the first that fails */
  async run (lines: readonly string[]): Promise<void> {
    await runLines(lines, this.runner)
  }

  async close (): Promise<void> {
    const exited = once(this.#holder, 'exit')
    if (this.#holder.exitCode === null && this.#holder.signalCode === null && this.#holder.kill('SIGKILL')) await exited
  }
}
