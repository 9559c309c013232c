/** Requests to origins at a time, where nobody says otherwise. */
const DEFAULT_ORIGIN_CONCURRENCY = 4
/** A blob up to this size goes before larger ones. */
const SMALL_BYTES = 1024 * 1024
/** Of so many places one goes to who has waited longest, whatever its size. */
const FAIR_SHARE = 4

/** Somebody who wants to ask an origin for bytes of a blob. */
export interface OriginAsker {
  /** Bytes of the blob; undefined: not known. */
  readonly size: number | undefined
  /** A place is free: it may be taken now, during the call. */
  onFree (): void
}

/**
 * How many requests for bytes of blobs origins get at a time, of all blobs together. Who finds no place is called when one is
 * free: small blobs first, then who has waited longest. It knows no timer: who holds a place gives it back.
 */
export class OriginSlots {
  readonly #limit: number
  /** In the order they came. */
  readonly #waiting = new Set<OriginAsker>()
  #taken = 0
  #granted = 0

  constructor (limit = DEFAULT_ORIGIN_CONCURRENCY) {
    this.#limit = limit
  }

  /** Whether others wait for a place. */
  get isContended (): boolean {
    return this.#waiting.size > 0
  }

  isWaiting (asker: OriginAsker): boolean {
    return this.#waiting.has(asker)
  }

  /** Whether a place can be taken now; if not, the asker is called when one is free. */
  isFree (asker: OriginAsker): boolean {
    if (this.#taken < this.#limit) return true
    this.#waiting.add(asker)
    return false
  }

  /** Takes a place. @returns gives it back; again, nothing happens */
  take (asker: OriginAsker): () => void {
    this.#waiting.delete(asker)
    this.#taken++
    let isHeld = true
    return () => {
      if (!isHeld) return
      isHeld = false
      this.#taken--
      this.#grant()
    }
  }

  /** Waits no longer. */
  leave (asker: OriginAsker): void {
    this.#waiting.delete(asker)
  }

  /** A place, when one is free. @returns gives it back. @throws the signal's reason */
  async enter (size: number | undefined, { signal }: { signal: AbortSignal }): Promise<() => void> {
    signal.throwIfAborted()
    const { promise, resolve, reject } = Promise.withResolvers<() => void>()
    const asker: OriginAsker = { size, onFree: () => { resolve(this.take(asker)) } }
    if (this.isFree(asker)) return this.take(asker)
    const onAbort = (): void => {
      this.leave(asker)
      reject(signal.reason as Error)
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await promise
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  /** Those called may find that they want nothing any more; each is called once. */
  #grant (): void {
    while (this.#taken < this.#limit) {
      const next = this.#next()
      if (next === undefined) return
      this.#waiting.delete(next)
      this.#granted++
      next.onFree()
    }
  }

  #next (): OriginAsker | undefined {
    const [longest] = this.#waiting
    if (this.#granted % FAIR_SHARE === FAIR_SHARE - 1) return longest
    for (const asker of this.#waiting) if (asker.size !== undefined && asker.size <= SMALL_BYTES) return asker
    return longest
  }
}
