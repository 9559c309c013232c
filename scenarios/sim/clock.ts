/**
 * Virtual time: it goes on from event to event and never waits. Of events at one time the first to be planned comes first, so
 * that a run is the same each time. A heap of four children a node in parallel arrays, as a run has tens of millions of events.
 */
export class SimClock {
  nowMs = 0
  /** Runs after each event, for what several events of one moment have changed. */
  onEvent: () => void = () => {}
  #times = new Float64Array(1024)
  #orders = new Float64Array(1024)
  readonly #runs: Array<() => void> = []
  #planned = 0
  #isStopped = false

  /** Events that are still to come. */
  get length (): number {
    return this.#runs.length
  }

  /** @param atMs - now at the earliest */
  at (atMs: number, run: () => void): void {
    const index = this.#runs.length
    if (index === this.#times.length) this.#grow()
    this.#runs.push(run)
    this.#rise(index, Math.max(atMs, this.nowMs), this.#planned++, run)
  }

  after (delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run)
  }

  /** Nothing runs after the event that does now. */
  stop (): void {
    this.#isStopped = true
  }

  /** Runs events in order until there are none, the next would be after `limitMs`, or so many have run. @returns whether there is more to do */
  run (limitMs: number, events: number): boolean {
    for (let left = events; left > 0; left--) {
      const atMs = this.#times[0] ?? Infinity
      if (this.#isStopped || this.#runs.length === 0 || atMs > limitMs) return false
      const run = this.#take()
      this.nowMs = atMs
      run()
      this.onEvent()
    }
    return true
  }

  #take (): () => void {
    const first = this.#runs[0] as () => void
    const last = this.#runs.length - 1
    const run = this.#runs.pop() as () => void
    if (last > 0) this.#sink(this.#times[last] as number, this.#orders[last] as number, run)
    return first
  }

  #rise (from: number, atMs: number, order: number, run: () => void): void {
    const times = this.#times
    let index = from
    while (index > 0) {
      const parent = index - 1 >> 2
      // what is planned later never comes before what is planned for the same time
      if ((times[parent] as number) <= atMs) break
      this.#put(index, times[parent] as number, this.#orders[parent] as number, this.#runs[parent] as () => void)
      index = parent
    }
    this.#put(index, atMs, order, run)
  }

  /** Puts into place what has come to the top. */
  #sink (atMs: number, order: number, run: () => void): void {
    const times = this.#times
    const orders = this.#orders
    const { length } = this.#runs
    let index = 0
    for (;;) {
      const first = 4 * index + 1
      if (first >= length) break
      let child = first
      const end = Math.min(first + 4, length)
      for (let other = first + 1; other < end; other++) {
        if ((times[other] as number) < (times[child] as number) || (times[other] === times[child] && (orders[other] as number) < (orders[child] as number))) child = other
      }
      if ((times[child] as number) > atMs || (times[child] === atMs && (orders[child] as number) > order)) break
      this.#put(index, times[child] as number, orders[child] as number, this.#runs[child] as () => void)
      index = child
    }
    this.#put(index, atMs, order, run)
  }

  #put (index: number, atMs: number, order: number, run: () => void): void {
    this.#times[index] = atMs
    this.#orders[index] = order
    this.#runs[index] = run
  }

  #grow (): void {
    const grown = (from: Float64Array<ArrayBuffer>): Float64Array<ArrayBuffer> => {
      const to = new Float64Array(2 * from.length)
      to.set(from)
      return to
    }
    this.#times = grown(this.#times)
    this.#orders = grown(this.#orders)
  }
}
