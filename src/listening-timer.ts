/** So many times at the least is looked at what has come before a time is over. */
const PARTS = 8

/**
 * Calls once a time is over in which this process listened. A plain timer fires as well when the process had no processor
 * for that long, and before what has come meanwhile is looked at. Here the time runs in parts, of which one that ends late
 * counts no more than the others, and a last look comes before the call.
 */
export class ListeningTimer {
  readonly #onOver: () => void
  readonly #timer: NodeJS.Timeout
  #lastLook: NodeJS.Immediate | undefined
  #partsLeft = PARTS

  constructor (delayMs: number, onOver: () => void) {
    this.#onOver = onOver
    this.#timer = setTimeout(() => { this.#endPart() }, Math.ceil(delayMs / PARTS))
  }

  stop (): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#lastLook)
  }

  #endPart (): void {
    this.#partsLeft--
    if (this.#partsLeft > 0) this.#timer.refresh()
    // Of a turn of the event loop timers come first, then what the sockets have, then this.
    else this.#lastLook = setImmediate(this.#onOver)
  }
}
