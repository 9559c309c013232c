import type { FrameTransport } from './frame-transport.ts'
import type { IntakePace } from './pace.ts'

/** One transport read at the pace of all that comes: it rests when too much has come, until it is its turn. */
export class PacedReading {
  readonly #transport: FrameTransport
  readonly #pace: IntakePace
  readonly #isUrgent: () => boolean
  #giveUp: (() => void) | undefined
  #resumedAtMs: number | undefined

  /** @param isUrgent - whether something that must not wait is on its way there */
  constructor (transport: FrameTransport, pace: IntakePace, isUrgent: () => boolean) {
    this.#transport = transport
    this.#pace = pace
    this.#isUrgent = isUrgent
  }

  /** So many bytes have come by it. */
  came (bytes: number): void {
    // what came although it rests is kept by it, and comes here later
    if (this.#pace.came(bytes) || this.#giveUp !== undefined) return
    this.#transport.pause()
    this.#giveUp = this.#pace.turn(() => {
      this.#giveUp = undefined
      this.#resumedAtMs = performance.now()
      this.#transport.resume()
    }, { isUrgent: this.#isUrgent() })
  }

  /** Milliseconds since we last did not read what came: 0 while we do not, undefined when that has never been. */
  get heldMsAgo (): number | undefined {
    if (this.#giveUp !== undefined) return 0
    return this.#resumedAtMs === undefined ? undefined : performance.now() - this.#resumedAtMs
  }

  /** It is read no more. */
  end (): void {
    this.#giveUp?.()
    this.#giveUp = undefined
  }
}
