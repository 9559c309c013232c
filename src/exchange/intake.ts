import type { IntakePace } from '../net/pace.ts'
import type { TokenBucket } from '../swarm/token-bucket.ts'

/** Who had to wait lately is still taken to be limited for so long, in milliseconds. */
const HELD_LATELY_MS = 500
/**
 * What may come beyond the limit before anybody is held up, in milliseconds of it, and what is let in at a time then. A busy
 * process reads what has come in bursts: to stop and go for each chunk of them cost a host in a rollout an eighth of its processor.
 */
const SLACK_MS = 25
/** What one turn brings, about: a TLS record. */
const TURN_BYTES = 16 * 1024

interface Waiting {
  readonly onTurn: () => void
}

export interface IntakeInit {
  /** Milliseconds that never go back. @default performance.now */
  readonly now?: () => number
  /** Calls back after so many milliseconds; 0: when what is there to be read has been read. */
  readonly later?: (delayMs: number, callback: () => void) => void
}

/**
 * All that comes, at the pace of one bucket. Whoever has taken bytes while too many have come, or while others wait and the limit is
 * reached, waits behind those who waited before; in its turn each takes its next chunk, however long that is. So all have equal
 * shares, and what comes beyond the limit is 25 ms of it and a chunk of each whose turn it was. Who waits has a bound of its own.
 */
export class Intake implements IntakePace {
  readonly #bucket: TokenBucket
  readonly #now: () => number
  readonly #later: (delayMs: number, callback: () => void) => void
  readonly #urgent = new Set<Waiting>()
  readonly #others = new Set<Waiting>()
  #isDue = false
  #heldAtMs = -Infinity

  constructor (bucket: TokenBucket, { now = () => performance.now(), later = callLater }: IntakeInit = {}) {
    this.#bucket = bucket
    this.#now = now
    this.#later = later
  }

  get bytesPerSecond (): number {
    return this.#bucket.bytesPerSecond
  }

  /** Somebody has had to wait lately, so more would come than may. */
  get isHolding (): boolean {
    return this.#now() - this.#heldAtMs < HELD_LATELY_MS
  }

  came (bytes: number): boolean {
    const now = this.#now()
    this.#bucket.spend(bytes, now)
    if (this.#bucket.delayMs(now) <= (this.#waiting === 0 ? SLACK_MS : 0)) return true
    this.#heldAtMs = now
    return false
  }

  turn (onTurn: () => void, { isUrgent = false }: { readonly isUrgent?: boolean } = {}): () => void {
    const queue = isUrgent ? this.#urgent : this.#others
    const waiting = { onTurn }
    queue.add(waiting)
    this.#schedule()
    return () => { queue.delete(waiting) }
  }

  /** So many bytes have come. @returns when to take more; undefined: at once */
  taken (bytes: number, options?: { readonly isUrgent?: boolean }): Promise<void> | undefined {
    if (this.came(bytes)) return undefined
    return new Promise(resolve => { this.turn(resolve, options) })
  }

  get #waiting (): number {
    return this.#urgent.size + this.#others.size
  }

  #schedule (): void {
    if (this.#isDue || this.#waiting === 0) return
    this.#isDue = true
    this.#later(this.#bucket.delayMs(this.#now()), () => {
      this.#isDue = false
      this.#next()
    })
  }

  #next (): void {
    const isAllowed = this.#bucket.delayMs(this.#now()) === 0
    const next = isAllowed ? [...this.#urgent, ...this.#others].slice(0, this.#turns) : []
    for (const waiting of next) if (this.#urgent.delete(waiting) || this.#others.delete(waiting)) waiting.onTurn()
    // the others wait until what these read has been counted
    this.#schedule()
  }

  /** How many may read at a time, each a chunk. */
  get #turns (): number {
    return Math.max(1, Math.floor(this.#bucket.bytesPerSecond / 1000 * SLACK_MS / TURN_BYTES))
  }
}

function callLater (delayMs: number, callback: () => void): void {
  if (delayMs > 0) setTimeout(callback, delayMs)
  else setImmediate(callback)
}
