import type { IntakePace } from '../../src/net/pace.ts'

/** Lets so many bytes come as a test allows. */
export class QuotaPace implements IntakePace {
  readonly bytesPerSecond = 1
  /** Turns that were asked for, and whether they were urgent. */
  readonly asked: boolean[] = []
  /** Bytes that came. */
  count = 0
  #left = 0
  readonly #waiting = new Set<() => void>()

  get isWaiting (): boolean {
    return this.#waiting.size > 0
  }

  allow (bytes: number): void {
    this.#left += bytes
    for (const onTurn of [...this.#waiting]) {
      this.#waiting.delete(onTurn)
      onTurn()
    }
  }

  came (bytes: number): boolean {
    this.count += bytes
    this.#left -= bytes
    return this.#left > 0
  }

  turn (onTurn: () => void, { isUrgent = false }: { readonly isUrgent?: boolean } = {}): () => void {
    this.asked.push(isUrgent)
    this.#waiting.add(onTurn)
    return () => { this.#waiting.delete(onTurn) }
  }
}
