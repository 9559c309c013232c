/** Beats between two pings. */
const PING_BEATS = 6
/** Beats after a ping in which something must come: anything shows that the other side lives. */
const DEAD_BEATS = 4
/** Round trips remembered: the least of them is the way, the rest was waiting behind other bytes or for a busy processor. */
const MAX_SAMPLES = 16
/** With fewer of them a busy start may look like a long way. */
const MIN_SAMPLES = 4

/**
 * Whether the other end of a link lives, and how far away it is. Told of what comes and of each beat; counts beats and not
 * time, so that a process that stood still takes nobody for dead.
 */
export class LinkPulse {
  /** Something has come since the last beat. Set at each arrival, so a plain field. */
  hasHeard = true
  readonly #samples: number[] = []
  #beats = PING_BEATS
  #nonce = 0
  /** Beats since the ping after which nothing has come. */
  #silentBeats: number | undefined
  #pingedAtMs: number | undefined

  /** Least of the latest round trips, in milliseconds; undefined before there are some. */
  get rttMs (): number | undefined {
    return this.#samples.length < MIN_SAMPLES ? undefined : Math.min(...this.#samples)
  }

  /** A beat has passed. @returns what to do: the nonce to ping with, `dead` to give the link up, or nothing */
  beat (nowMs: number): number | 'dead' | undefined {
    if (this.hasHeard) this.#silentBeats = undefined
    else if (this.#silentBeats !== undefined && ++this.#silentBeats >= DEAD_BEATS) return 'dead'
    this.hasHeard = false
    return --this.#beats > 0 ? undefined : this.ping(nowMs)
  }

  /** @returns the nonce to ping with */
  ping (nowMs: number): number {
    this.#beats = PING_BEATS
    this.#silentBeats = 0
    this.#pingedAtMs = nowMs
    return ++this.#nonce
  }

  /** An answer to another ping than the last says nothing. @returns whether `rttMs` may have changed */
  ponged (nonce: number, nowMs: number): boolean {
    if (nonce !== this.#nonce || this.#pingedAtMs === undefined) return false
    this.#samples.push(nowMs - this.#pingedAtMs)
    if (this.#samples.length > MAX_SAMPLES) this.#samples.shift()
    this.#pingedAtMs = undefined
    return true
  }
}

/** A side that promises so sends something at least that often, in milliseconds. */
export function keepAliveMs (beatMs: number): number {
  return PING_BEATS * beatMs
}
