import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { ReadOrder, ReadResult } from './http-reader.ts'

/** `http-reader.ts` in a process of its own. */
export class ReaderProcess {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, 'http-reader.ts'))

  /** @throws Error when a body was cut or the answer was not 200 */
  async read (order: ReadOrder): Promise<ReadResult> {
    const answered = once(this.#child, 'message')
    this.#child.send(order)
    const [result] = await answered as [ReadResult]
    if (result.error !== undefined) throw new Error(`${order.url}: ${result.error}`)
    return result
  }

  stop (): void {
    this.#child.kill()
  }
}
