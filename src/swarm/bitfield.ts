/**
 * Which pieces of a blob somebody holds. The most significant bit of the first byte is piece 0, as on the wire
 * (docs/protocol.md). `count` and the bits change in one place.
 */
export class Bitfield {
  /** Pieces in all. */
  readonly length: number
  readonly #bytes: Uint8Array
  #count = 0

  constructor (length: number) {
    this.length = length
    this.#bytes = new Uint8Array(Math.ceil(length / 8))
  }

  /** @returns undefined when the bytes are not those of `length` pieces: too few, too many, or with a bit behind the last */
  static fromBytes (bytes: Uint8Array, length: number): Bitfield | undefined {
    const field = new Bitfield(length)
    if (bytes.length !== field.#bytes.length) return undefined
    for (let piece = 0; piece < bytes.length * 8; piece++) {
      if (((bytes[piece >> 3] ?? 0) & 0x80 >> (piece & 7)) === 0) continue
      if (piece >= length) return undefined
      field.add(piece)
    }
    return field
  }

  static full (length: number): Bitfield {
    const field = new Bitfield(length)
    for (let piece = 0; piece < length; piece++) field.add(piece)
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
    return ((this.#bytes[piece >> 3] ?? 0) & 0x80 >> (piece & 7)) !== 0
  }

  /** @returns whether it was not there before. @throws RangeError */
  add (piece: number): boolean {
    this.#check(piece)
    if (this.has(piece)) return false
    this.#bytes[piece >> 3] = (this.#bytes[piece >> 3] ?? 0) | 0x80 >> (piece & 7)
    this.#count++
    return true
  }

  /** @returns whether it was there before. @throws RangeError */
  remove (piece: number): boolean {
    this.#check(piece)
    if (!this.has(piece)) return false
    this.#bytes[piece >> 3] = (this.#bytes[piece >> 3] ?? 0) & ~(0x80 >> (piece & 7))
    this.#count--
    return true
  }

  * [Symbol.iterator] (): Generator<number> {
    for (let piece = 0; piece < this.length; piece++) {
      if (this.has(piece)) yield piece
    }
  }

  /** A copy, for the wire. */
  toBytes (): Uint8Array {
    return new Uint8Array(this.#bytes)
  }

  #check (piece: number): void {
    if (!Number.isInteger(piece) || piece < 0 || piece >= this.length) throw new RangeError(`piece ${piece} of ${this.length}`)
  }
}
