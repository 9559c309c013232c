import type { Bitfield } from './bitfield.ts'

/** How many of the other members hold each piece and give it. */
export class Availability {
  readonly #holders: Uint32Array

  constructor (pieces: number) {
    this.#holders = new Uint32Array(pieces)
  }

  /** Members that hold the piece and give it. */
  of (piece: number): number {
    return this.#holders[piece] ?? 0
  }

  gained (piece: number): void {
    this.#holders[piece] = this.of(piece) + 1
  }

  lost (piece: number): void {
    this.#holders[piece] = this.of(piece) - 1
  }

  joined (held: Bitfield): void {
    for (let piece = held.next(0); piece !== -1; piece = held.next(piece + 1)) this.gained(piece)
  }

  left (held: Bitfield): void {
    for (let piece = held.next(0); piece !== -1; piece = held.next(piece + 1)) this.lost(piece)
  }
}
