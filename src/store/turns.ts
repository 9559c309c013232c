/** Lets one task at a time run, in the order of the calls. A failed task fails its caller only. */
export class Turns {
  #last: Promise<unknown> = Promise.resolve()
  #waiting = 0

  /** Nobody runs or waits. */
  get isIdle (): boolean {
    return this.#waiting === 0
  }

  run<T> (task: () => Promise<T> | T): Promise<T> {
    this.#waiting++
    const result = this.#last.then(task).finally(() => { this.#waiting-- })
    this.#last = result.catch(() => {})
    return result
  }
}

/** One `Turns` a key, kept only while somebody runs or waits. */
export class KeyedTurns<K> {
  readonly #turns = new Map<K, Turns>()

  async run<T> (key: K, task: () => Promise<T> | T): Promise<T> {
    const turns = this.#turns.get(key) ?? new Turns()
    this.#turns.set(key, turns)
    try {
      return await turns.run(task)
    } finally {
      if (turns.isIdle) this.#turns.delete(key)
    }
  }
}
