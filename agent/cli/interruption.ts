import { InterruptedError, SIGNAL_EXIT } from './cli-error.ts'
import type { CliContext } from './cli-context.ts'

/** From its making to its disposal the first SIGINT or SIGTERM aborts a signal, and the second ends the process at once. */
export class Interruption {
  readonly #controller = new AbortController()
  readonly #unsubscribe: () => void
  #name: NodeJS.Signals | undefined

  constructor ({ onSignal, exitNow }: Pick<CliContext, 'onSignal' | 'exitNow'>) {
    this.#unsubscribe = onSignal(name => {
      if (this.#name !== undefined) exitNow(SIGNAL_EXIT[name] ?? 1)
      this.#name ??= name
      this.#controller.abort()
    })
  }

  get signal (): AbortSignal {
    return this.#controller.signal
  }

  /** @param what - what there is all the same, for the message. @throws InterruptedError after a signal */
  throwIfInterrupted (what: string): void {
    if (this.#name !== undefined) throw new InterruptedError(this.#name, `ended by ${this.#name}; ${what}`)
  }

  [Symbol.dispose] (): void {
    this.#unsubscribe()
  }
}
