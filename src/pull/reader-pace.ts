/** Bytes that may wait for the fastest reader before the intake slows down; the store holds as many in memory. */
const COMFORT_BYTES = 4 * 1024 * 1024
/** Milliseconds that one step of the intake waits at the most, so that a slow reader never holds a fetch below 100 MB/s. */
const MAX_WAIT_MS = 10
/** Bytes between two looks. */
const STEP_BYTES = 1024 * 1024

/**
 * Keeps the intake of a blob a little ahead of its fastest reader, as long as that one is quick. A container engine
 * hashes and unpacks what it reads, and on a busy host an intake that runs far ahead takes the processor and the disk
 * it needs: both would be done later.
 */
export class ReaderPace {
  #given = 0
  #lookedAt = 0
  #moved: PromiseWithResolvers<void> | undefined

  /** A reader was given the bytes up to `position`. */
  gave (position: number): void {
    if (position <= this.#given) return
    this.#given = position
    this.#moved?.resolve()
    this.#moved = undefined
  }

  /** Whether it is time to `wait`, with [0, edge) there to be given. */
  isDue (edge: number): boolean {
    if (edge - this.#lookedAt < STEP_BYTES) return false
    this.#lookedAt = edge
    return this.#isAhead(edge)
  }

  /** Until the fastest reader has come close to `edge`, though never long. */
  async wait (edge: number): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<true>()
    const timer = setTimeout(() => { resolve(true) }, MAX_WAIT_MS)
    try {
      while (this.#isAhead(edge)) {
        this.#moved ??= Promise.withResolvers()
        if (await Promise.race([late, this.#moved.promise]) === true) return
      }
    } finally {
      clearTimeout(timer)
    }
  }

  /** Where nobody reads yet, nobody is to be waited for. */
  #isAhead (edge: number): boolean {
    return this.#given > 0 && edge - this.#given > COMFORT_BYTES
  }
}
