import { once } from 'node:events'

/** Lets those who come to it through one by one, as a test says. */
export class Gate {
  #permits = 0
  readonly #changes = new EventTarget()
  #waiting = 0

  /** So many wait now. */
  get waiting (): number {
    return this.#waiting
  }

  /** Lets so many more through. */
  release (count = 1): void {
    this.#permits += count
    this.#changes.dispatchEvent(new Event('permit'))
  }

  /** Lets all through from now on. */
  open (): void {
    this.release(Infinity)
  }

  /** Waits to be let through. @throws the signal's reason */
  async pass (signal?: AbortSignal): Promise<void> {
    this.#waiting += 1
    this.#changes.dispatchEvent(new Event('waiting'))
    try {
      while (this.#permits === 0) await nextEvent(this.#changes, 'permit', signal)
      this.#permits -= 1
    } finally {
      this.#waiting -= 1
    }
  }

  /** Resolves when somebody waits. */
  async reached (): Promise<void> {
    while (this.#waiting === 0) await nextEvent(this.#changes, 'waiting')
  }
}

async function nextEvent (target: EventTarget, name: string, signal?: AbortSignal): Promise<void> {
  try {
    await once(target, name, { signal })
  } catch (error) {
    signal?.throwIfAborted()
    throw error
  }
}
