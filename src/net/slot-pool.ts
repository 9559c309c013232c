export interface SlotPoolInit {
  readonly maxPerKey: number
  readonly max: number
  /** How many may wait; the next is refused at once. */
  readonly maxQueued: number
}

export interface Slot {
  /** Gives the place to the next in line. Again: nothing. */
  release (): void
}

interface Waiting {
  readonly key: string
  grant (slot: Slot): void
}

/** Places, limited per key and in all, given in the order asked as far as the limits of each key allow. */
export class SlotPool {
  readonly #init: SlotPoolInit
  readonly #taken = new Map<string, number>()
  readonly #queue: Waiting[] = []
  #total = 0

  constructor (init: SlotPoolInit) {
    this.#init = init
  }

  /** @returns undefined when no place is free now */
  tryTake (key: string): Slot | undefined {
    const taken = this.#taken.get(key) ?? 0
    if (taken >= this.#init.maxPerKey || this.#total >= this.#init.max) return undefined
    this.#taken.set(key, taken + 1)
    this.#total++
    let isReleased = false
    return {
      release: () => {
        if (isReleased) return
        isReleased = true
        this.#release(key)
      }
    }
  }

  /** @returns undefined when no place became free in `timeoutMs`, or too many wait already. @throws the signal's reason */
  async take (key: string, timeoutMs: number, { signal }: { signal?: AbortSignal } = {}): Promise<Slot | undefined> {
    signal?.throwIfAborted()
    const slot = this.tryTake(key)
    if (slot !== undefined || this.#queue.length >= this.#init.maxQueued) return slot
    const { promise, resolve, reject } = Promise.withResolvers<Slot | undefined>()
    const waiting: Waiting = { key, grant: resolve }
    // Out of the queue before the promise settles: a place granted to a promise already settled would be lost.
    const timer = setTimeout(() => { this.#leave(waiting); resolve(undefined) }, timeoutMs)
    const onAbort = (): void => { this.#leave(waiting); reject(signal?.reason as Error) }
    signal?.addEventListener('abort', onAbort, { once: true })
    this.#queue.push(waiting)
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', onAbort)
    }
  }

  #leave (waiting: Waiting): void {
    const index = this.#queue.indexOf(waiting)
    if (index !== -1) this.#queue.splice(index, 1)
  }

  #release (key: string): void {
    const taken = (this.#taken.get(key) ?? 0) - 1
    if (taken > 0) this.#taken.set(key, taken)
    else this.#taken.delete(key)
    this.#total--
    this.#grantNext()
  }

  #grantNext (): void {
    for (const [index, waiting] of this.#queue.entries()) {
      const slot = this.tryTake(waiting.key)
      if (slot === undefined) continue
      this.#queue.splice(index, 1)
      waiting.grant(slot)
      return
    }
  }
}
