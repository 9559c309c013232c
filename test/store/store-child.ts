import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface, type Interface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A process of its own with a store, killed with the test process at the latest. It tells what it does, a line each. */
export class StoreChild {
  readonly #child: ChildProcess
  readonly #lines: Interface
  readonly #exited: Promise<void>

  constructor (script: URL, args: readonly string[]) {
    this.#child = spawn(process.execPath, [fileURLToPath(script), ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout! })
    const killWithUs = (): void => { this.#child.kill('SIGKILL') }
    process.once('exit', killWithUs)
    this.#exited = once(this.#child, 'exit').then(() => { process.off('exit', killWithUs) })
  }

  /** Lines until `enough` or until the process ends. */
  async read (enough: (line: string) => boolean): Promise<string[]> {
    const lines: string[] = []
    for await (const line of this.#lines) {
      lines.push(line)
      if (enough(line)) break
    }
    return lines
  }

  async kill (): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}
