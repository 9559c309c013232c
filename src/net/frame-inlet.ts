type BytesHandler = (bytes: Uint8Array) => void
type ClosedHandler = (error: Error | undefined) => void

/**
 * The receiving side of a transport as its owner sees it: nothing is handed on before the owner listens, nothing after
 * the end, and the end once.
 */
export class FrameInlet {
  readonly #startReading: () => void
  #onBytes: BytesHandler | undefined
  #onClosed: ClosedHandler | undefined
  /** What came although nobody listened yet, or the owner rests: a copy each. */
  readonly #early: Uint8Array[] = []
  #isPaused = false
  #end: { readonly error: Error | undefined } | undefined
  #isEndTold = false

  /** @param startReading called when the owner listens, or no longer rests, and has had what came earlier */
  constructor (startReading: () => void) {
    this.#startReading = startReading
  }

  get onBytes (): BytesHandler | undefined {
    return this.#onBytes
  }

  set onBytes (handler: BytesHandler | undefined) {
    const isFirst = this.#onBytes === undefined
    this.#onBytes = handler
    // Not within the assignment: the owner may be in its constructor.
    if (isFirst && handler !== undefined) queueMicrotask(() => { this.#begin() })
  }

  get onClosed (): ClosedHandler | undefined {
    return this.#onClosed
  }

  set onClosed (handler: ClosedHandler | undefined) {
    this.#onClosed = handler
    this.#tellEndSoon()
  }

  get hasEnded (): boolean {
    return this.#end !== undefined
  }

  /** Nothing more is handed on before `resume`; what comes all the same is kept. */
  pause (): void {
    this.#isPaused = true
  }

  resume (): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#begin()
  }

  /** @returns false: nobody takes it now, so what came was kept and nothing more should come */
  deliver (bytes: Uint8Array): boolean {
    if (this.#end !== undefined) return true
    if (this.#onBytes === undefined || this.#isPaused || this.#early.length > 0) {
      // `slice` of a Buffer is no copy.
      this.#early.push(new Uint8Array(bytes))
      return false
    }
    this.#onBytes(bytes)
    return true
  }

  /** Nothing comes any more. After an error, or when we end it, what the owner has not had is void. Again: nothing. */
  end (error: Error | undefined, { isByUs = false }: { isByUs?: boolean } = {}): void {
    if (this.#end !== undefined) return
    this.#end = { error }
    if (error !== undefined || isByUs) this.#early.length = 0
    this.#tellEndSoon()
  }

  #begin (): void {
    while (this.#early.length > 0 && !this.#isPaused) {
      const bytes = this.#early[0] as Uint8Array
      this.#onBytes?.(bytes)
      this.#early.shift()
    }
    if (this.#isPaused) return
    if (this.#end === undefined) this.#startReading()
    else this.#tellEndSoon()
  }

  #tellEndSoon (): void {
    if (this.#end !== undefined) queueMicrotask(() => { this.#tellEnd() })
  }

  #tellEnd (): void {
    if (this.#isEndTold || this.#end === undefined || this.#onClosed === undefined || this.#early.length > 0) return
    this.#isEndTold = true
    this.#onClosed(this.#end.error)
  }
}
