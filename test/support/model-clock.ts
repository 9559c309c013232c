interface Event {
  readonly atMs: number
  /** Of those at the same time, the first to be planned comes first. */
  readonly order: number
  readonly run: () => void
}

/** Simulated time: it goes on from event to event and never waits. */
export class ModelClock {
  nowMs = 0
  /** A binary heap, the next on top. */
  readonly #events: Event[] = []
  #planned = 0

  /** @param atMs - not before now */
  at (atMs: number, run: () => void): void {
    const heap = this.#events
    const event = { atMs: Math.max(atMs, this.nowMs), order: this.#planned++, run }
    let index = heap.push(event) - 1
    while (index > 0) {
      const parent = index - 1 >> 1
      const above = heap[parent]
      if (above === undefined || isBefore(above, event)) break
      heap[index] = above
      index = parent
    }
    heap[index] = event
  }

  after (delayMs: number, run: () => void): void {
    this.at(this.nowMs + delayMs, run)
  }

  /** Runs the events in order until there are none, one would be after `limitMs`, or `isOver` says so. */
  run ({ limitMs, isOver }: { limitMs: number, isOver: () => boolean }): void {
    for (let event = this.#take(); event !== undefined && event.atMs <= limitMs; event = this.#take()) {
      this.nowMs = event.atMs
      event.run()
      if (isOver()) return
    }
  }

  #take (): Event | undefined {
    const heap = this.#events
    const first = heap[0]
    const last = heap.pop()
    if (last === undefined || heap.length === 0) return first
    let index = 0
    for (;;) {
      const left = heap[2 * index + 1]
      const right = heap[2 * index + 2]
      const isRight = left !== undefined && right !== undefined && isBefore(right, left)
      const child = isRight ? right : left
      if (child === undefined || isBefore(last, child)) break
      heap[index] = child
      index = 2 * index + (isRight ? 2 : 1)
    }
    heap[index] = last
    return first
  }
}

function isBefore (a: Event, b: Event): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
