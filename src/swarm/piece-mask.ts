import { fillWords, nextBit, wordsFor, type Bitfield } from './bitfield.ts'

type Pieces = Bitfield | PieceMask

/**
 * Pieces that have something in common at this moment: a set that is made anew for each question, by whole words, so that
 * no question goes through all pieces of all members one by one. What lasts is kept in a `Bitfield`.
 */
export class PieceMask {
  readonly length: number
  /** As those of a bitfield; for reading only. */
  readonly words: Uint32Array

  constructor (length: number) {
    this.length = length
    this.words = new Uint32Array(wordsFor(length))
  }

  has (piece: number): boolean {
    return ((this.words[piece >>> 5] ?? 0) & 0x80000000 >>> (piece & 31)) !== 0
  }

  /** All pieces. */
  fill (): this {
    fillWords(this.words, this.length)
    return this
  }

  clear (): this {
    this.words.fill(0)
    return this
  }

  add (piece: number): void {
    this.words[piece >>> 5] = (this.words[piece >>> 5] ?? 0) | 0x80000000 >>> (piece & 31)
  }

  /** From the one to the other, both included; there may be fewer. */
  addRange (first: number, last: number): void {
    for (let piece = first; piece <= last && piece < this.length; piece++) this.add(piece)
  }

  delete (piece: number): void {
    this.words[piece >>> 5] = (this.words[piece >>> 5] ?? 0) & ~(0x80000000 >>> (piece & 31))
  }

  /** These too, but for those of `except`, which stay as they are. */
  unite (field: Pieces, except?: ReadonlySet<number>): void {
    const absent = except === undefined || except.size === 0 ? undefined : [...except].filter(piece => !this.has(piece))
    for (let word = 0; word < this.words.length; word++) this.words[word] = (this.words[word] ?? 0) | (field.words[word] ?? 0)
    for (const piece of absent ?? []) this.delete(piece)
  }

  /** Not these. */
  without (field: Pieces): this {
    for (let word = 0; word < this.words.length; word++) this.words[word] = (this.words[word] ?? 0) & ~(field.words[word] ?? 0)
    return this
  }

  /** The pieces of another, and no others. */
  assign (other: Pieces): this {
    this.words.set(other.words)
    return this
  }

  /** Of these no others than those of one of the given. */
  within (one: Pieces, another: Pieces = one): this {
    for (let word = 0; word < this.words.length; word++) {
      this.words[word] = (this.words[word] ?? 0) & ((one.words[word] ?? 0) | (another.words[word] ?? 0))
    }
    return this
  }

  /** The first piece from this one on; -1 if there is none. */
  next (from: number): number {
    return nextBit(this.words, from)
  }
}
