import type { ModelClock } from './model-clock.ts'
import type { ModelHost } from './model-host.ts'

const DEFAULT_LATENCY_MS = 5

export interface ModelWireInit {
  /** One way, in milliseconds; each message takes up to a quarter more or less. @default 5 */
  readonly latencyMs?: number
  readonly seed: number
}

/** Messages between hosts: late, and those from one host to another in order. The same for the same seed. */
export class ModelWire {
  readonly #clock: ModelClock
  readonly #latencyMs: number
  /** When the last message from one host to another is heard. */
  readonly #heardMs = new Map<string, number>()
  #state: number

  constructor (clock: ModelClock, { latencyMs = DEFAULT_LATENCY_MS, seed }: ModelWireInit) {
    this.#clock = clock
    this.#latencyMs = latencyMs
    this.#state = seed
  }

  /** `hear` runs at the receiver, when it neither is dead nor stalls, behind all that the sender told it before. */
  tell (from: ModelHost, to: ModelHost, hear: () => void): void {
    if (!from.isAlive) return
    const pair = `${from.id} ${to.id}`
    const atMs = Math.max(this.#heardMs.get(pair) ?? 0, this.#clock.nowMs + this.#latencyMs * (0.75 + 0.5 * this.random()))
    this.#heardMs.set(pair, atMs)
    this.#clock.at(atMs, () => {
      if (!to.isAlive || !from.isAlive) return
      if (to.isStalled) to.unheard.push(hear)
      else hear()
    })
  }

  /** A number in [0, 1): a counter through the finalizer of MurmurHash3. */
  random (): number {
    let x = this.#state = (this.#state + 0x9e3779b9) >>> 0
    x = Math.imul(x ^ x >>> 16, 0x85ebca6b)
    x = Math.imul(x ^ x >>> 13, 0xc2b2ae35)
    return ((x ^ x >>> 16) >>> 0) / 2 ** 32
  }
}
