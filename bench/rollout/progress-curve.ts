import type { PullEvent } from '../../agent/api-types.ts'

const RESOLUTION_MS = 50

/** Bytes of one image that have come to one host, over time. */
export class ProgressCurve {
  /** By milliseconds since the start, both growing. */
  readonly points: Array<readonly [ms: number, bytes: number]> = [[0, 0]]
  readonly #received = new Map<string, number>()

  /** Facts of a pull at that time. */
  add (event: PullEvent, ms: number): void {
    if (event.type === 'progress') this.#received.set(event.digest, event.received)
    else if (event.type === 'layer-done') this.#received.set(event.digest, event.size)
    else return
    const bytes = [...this.#received.values()].reduce((sum, value) => sum + value, 0)
    if (ms - (this.points.at(-2)?.[0] ?? 0) < RESOLUTION_MS && this.points.length > 1) this.points.pop()
    this.points.push([ms, bytes])
  }
}
