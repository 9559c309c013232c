/** Farther than this many times the way to the nearest quarter, and this many milliseconds more, is far. */
const FAR_FACTOR = 8
const FAR_ALLOWANCE_MS = 20
/** With fewer ways measured nobody is far. */
const MIN_MEASURED = 4
const MAX_PEERS = 4096

/** Whether both say that they are in the same zone. */
export function isSameZone (one: string | undefined, other: string | undefined): boolean {
  return one !== undefined && one === other
}

/**
 * Who is near: the same zone where both say one, else whoever the way to is not much longer than to the nearest quarter of all.
 * A busy machine makes all ways long alike, so they are compared with each other; at least a quarter is always near.
 */
export class Nearness {
  readonly #zone: string | undefined
  readonly #rtts = new Map<string, number>()
  #farMs: number | undefined

  /** @param zone - where we are, if we say so */
  constructor (zone?: string) {
    this.#zone = zone
  }

  /** The way to a peer and back. */
  measured (peer: string, rttMs: number): void {
    const [oldest] = this.#rtts.keys()
    if (this.#rtts.size === MAX_PEERS && oldest !== undefined) this.#rtts.delete(oldest)
    this.#rtts.set(peer, rttMs)
    this.#farMs = undefined
  }

  gone (peer: string): void {
    if (this.#rtts.delete(peer)) this.#farMs = undefined
  }

  /** Whether no border lies between: only what people say makes one, as a wrong one costs much. @param zone - where the peer says it is */
  isInZone (zone?: string): boolean {
    return this.#zone === undefined || zone === undefined || zone === this.#zone
  }

  /** Whether it is preferred for a member. @param zone - where the peer says it is */
  isNear (peer: string, zone?: string): boolean {
    if (this.#zone !== undefined && zone !== undefined) return zone === this.#zone
    const rttMs = this.#rtts.get(peer)
    return rttMs === undefined || rttMs <= this.#limit()
  }

  #limit (): number {
    if (this.#rtts.size < MIN_MEASURED) return Infinity
    if (this.#farMs === undefined) {
      const sorted = [...this.#rtts.values()].sort((a, b) => a - b)
      this.#farMs = (sorted[(sorted.length - 1) >> 2] ?? 0) * FAR_FACTOR + FAR_ALLOWANCE_MS
    }
    return this.#farMs
  }
}
