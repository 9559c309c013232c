const FIRST_BIT = 0x80000000
const ALL_BITS = 0xffffffff

/**
 * Which pieces of a blob somebody holds. The most significant bit of the first byte is piece 0, as on the wire
 * (docs/protocol.md). `count` and the bits change in one place.
 */
export class Bitfield {
  /** Pieces in all. */
  readonly length: number
  /** The bits, 32 pieces a word, the most significant first; for reading only. */
  readonly words: Uint32Array
  #count = 0

  constructor (length: number) {
    this.length = length
    this.words = new Uint32Array(wordsFor(length))
  }

  /** @returns undefined when the bytes are not those of `length` pieces: too few, too many, or with a bit behind the last */
  static fromBytes (bytes: Uint8Array, length: number): Bitfield | undefined {
    const field = new Bitfield(length)
    if (bytes.length !== Math.ceil(length / 8)) return undefined
    for (let piece = 0; piece < bytes.length * 8; piece++) {
      if (((bytes[piece >> 3] ?? 0) & 0x80 >> (piece & 7)) === 0) continue
      if (piece >= length) return undefined
      field.add(piece)
    }
    return field
  }

  static full (length: number): Bitfield {
    const field = new Bitfield(length)
    fillWords(field.words, length)
    field.#count = length
    return field
  }

  /** Pieces held. */
  get count (): number {
    return this.#count
  }

  get isFull (): boolean {
    return this.#count === this.length
  }

  has (piece: number): boolean {
    return ((this.words[piece >>> 5] ?? 0) & FIRST_BIT >>> (piece & 31)) !== 0
  }

  /** @returns whether it was not there before. @throws RangeError */
  add (piece: number): boolean {
    this.#check(piece)
    if (this.has(piece)) return false
    this.words[piece >>> 5] = (this.words[piece >>> 5] ?? 0) | FIRST_BIT >>> (piece & 31)
    this.#count++
    return true
  }

  /** @returns whether it was there before. @throws RangeError */
  remove (piece: number): boolean {
    this.#check(piece)
    if (!this.has(piece)) return false
    this.words[piece >>> 5] = (this.words[piece >>> 5] ?? 0) & ~(FIRST_BIT >>> (piece & 31))
    this.#count--
    return true
  }

  /** It holds what another of the same length does, and nothing else. @throws RangeError */
  assign (other: Bitfield): void {
    if (other.length !== this.length) throw new RangeError(`pieces of ${other.length} for a bitfield of ${this.length}`)
    this.words.set(other.words)
    this.#count = other.#count
  }

  /** The first piece held from this one on; -1 if there is none. */
  next (from: number): number {
    return nextBit(this.words, from)
  }

  /** The first piece lacking from this one on; `length` if there is none. */
  nextLacking (from: number): number {
    for (let word = from >>> 5, first = ALL_BITS >>> (from & 31); word < this.words.length; word++, first = ALL_BITS) {
      const bits = ~(this.words[word] ?? 0) & first
      if (bits !== 0) return Math.min(this.length, word * 32 + Math.clz32(bits))
    }
    return this.length
  }

  /** Whether it holds a piece that another of the same length does not. */
  exceeds (other: Bitfield): boolean {
    for (let word = 0; word < this.words.length; word++) {
      if (((this.words[word] ?? 0) & ~(other.words[word] ?? 0)) !== 0) return true
    }
    return false
  }

  * [Symbol.iterator] (): Generator<number> {
    for (let piece = this.next(0); piece !== -1; piece = this.next(piece + 1)) yield piece
  }

  /** A copy, for the wire. */
  toBytes (): Uint8Array {
    return Uint8Array.from({ length: Math.ceil(this.length / 8) }, (_, byte) => (this.words[byte >> 2] ?? 0) >>> 24 - 8 * (byte & 3))
  }

  #check (piece: number): void {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.length) throw new RangeError(`piece ${piece} of ${this.length}`)
  }
}

/** Words that hold so many bits. */
export function wordsFor (length: number): number {
  return Math.ceil(length / 32)
}

/** Sets the first so many bits, and no others. */
export function fillWords (words: Uint32Array, length: number): void {
  words.fill(ALL_BITS)
  if (length % 32 !== 0) words[words.length - 1] = ALL_BITS << 32 - length % 32
}

/** The first bit set from this one on; -1 if there is none. */
export function nextBit (words: Uint32Array, from: number): number {
  let word = from >>> 5
  let bits = (words[word] ?? 0) & ALL_BITS >>> (from & 31)
  while (bits === 0) {
    word++
    if (word >= words.length) return -1
    bits = words[word] ?? 0
  }
  return word * 32 + Math.clz32(bits)
}
