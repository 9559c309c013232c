import { Bitfield } from './bitfield.ts'

/** How many of the other members hold each piece and give it. */
export class Availability {
  /** Pieces that one of them holds at the least; for reading only. */
  readonly given: Bitfield
  readonly #holders: Uint32Array

  constructor (pieces: number) {
    this.given = new Bitfield(pieces)
    this.#holders = new Uint32Array(pieces)
  }

  /** Members that hold the piece and give it. */
  of (piece: number): number {
    return this.#holders[piece] ?? 0
  }

  gained (piece: number): void {
    const holders = this.of(piece) + 1
    this.#holders[piece] = holders
    if (holders === 1) this.given.add(piece)
  }

  lost (piece: number): void {
    const holders = this.of(piece) - 1
    this.#holders[piece] = holders
    if (holders === 0) this.given.remove(piece)
  }

  joined (held: Bitfield): void {
    for (let piece = held.next(0); piece !== -1; piece = held.next(piece + 1)) this.gained(piece)
  }

  left (held: Bitfield): void {
    for (let piece = held.next(0); piece !== -1; piece = held.next(piece + 1)) this.lost(piece)
  }
}
