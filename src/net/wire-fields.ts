import { decodeVarint } from './varint.ts'

/*
 * Messages of all our protocols in the wire format of protocol buffers, of which only this much is used:
 *
 *   message   = *field
 *   field     = tag varint                 tag: field number * 8
 *             / tag length *OCTET          tag: field number * 8 + 2; length: varint
 *   ascending = [ varint *( varint ) ]     content of a field: the first value, then the differences, each at least 1
 *
 * Varints are unsigned, at most 8 bytes and 2^53 - 1. Absent numbers are 0, absent text and bytes are empty; fields come in
 * any order, the last of several counts where not a list is meant, unknown fields are skipped.
 */

const WIRE_VARINT = 0
const WIRE_BYTES = 2
/** Tags up to here take one byte; we number no field higher. */
const MAX_FIELD = 15
const ABSENT = 255
/** Room in front of a message for its length. */
const HEADROOM = 8
const INITIAL_LENGTH = 256
const NOTHING = new Uint8Array()

/**
 * Writes one message after another. What it hands out are copies, so one writer serves all messages of a codec.
 * Values that cannot be written are a defect of the caller: RangeError.
 */
export class FieldWriter {
  #bytes = new Uint8Array(INITIAL_LENGTH)
  #end = HEADROOM

  /** Begins a message. */
  clear (): this {
    this.#end = HEADROOM
    return this
  }

  /** @throws RangeError unless `value` is a safe integer ≥ 0 */
  number (field: number, value: number): this {
    if (!(value >= 0) || !Number.isSafeInteger(value)) throw new RangeError(`field ${field} cannot be ${value}`)
    if (value === 0) return this
    this.#reserve(1 + HEADROOM)
    this.#bytes[this.#end++] = field << 3 | WIRE_VARINT
    this.#end = writeVarint(this.#bytes, this.#end, value)
    return this
  }

  flag (field: number, value: boolean): this {
    return this.number(field, value ? 1 : 0)
  }

  /** Characters beyond U+00FF lose their upper bits: meant for ids, digests and names of ASCII. */
  text (field: number, value: string): this {
    const length = value.length
    this.#begin(field, length)
    for (let index = 0; index < length; index++) this.#bytes[this.#end++] = value.charCodeAt(index)
    return this
  }

  bytes (field: number, value: Uint8Array): this {
    this.#begin(field, value.byteLength)
    this.#bytes.set(value, this.#end)
    this.#end += value.byteLength
    return this
  }

  /** @throws RangeError unless `values` are safe integers ≥ 0 that ascend strictly */
  ascending (field: number, values: readonly number[]): this {
    let length = 0
    let last = -1
    for (const value of values) {
      if (!(value > last) || !Number.isSafeInteger(value)) throw new RangeError(`field ${field}: ${value} after ${last}`)
      length += varintLength(last === -1 ? value : value - last)
      last = value
    }
    this.#begin(field, length)
    last = -1
    for (const value of values) {
      this.#end = writeVarint(this.#bytes, this.#end, last === -1 ? value : value - last)
      last = value
    }
    return this
  }

  /** Bytes of the message as far as it is written. */
  get length (): number {
    return this.#end - HEADROOM
  }

  /** The message without its length. */
  message (): Uint8Array {
    return this.#bytes.slice(HEADROOM, this.#end)
  }

  /** The message with its length in front. */
  framed (): Uint8Array {
    const start = HEADROOM - varintLength(this.length)
    writeVarint(this.#bytes, start, this.length)
    return this.#bytes.slice(start, this.#end)
  }

  #begin (field: number, length: number): void {
    this.#reserve(1 + HEADROOM + length)
    this.#bytes[this.#end++] = field << 3 | WIRE_BYTES
    this.#end = writeVarint(this.#bytes, this.#end, length)
  }

  #reserve (count: number): void {
    const needed = this.#end + count
    if (needed <= this.#bytes.byteLength) return
    const bytes = new Uint8Array(Math.max(needed, this.#bytes.byteLength * 2))
    bytes.set(this.#bytes)
    this.#bytes = bytes
  }
}

/**
 * Reads one message after another: `read` looks through it once, then its fields can be asked for until the next `read`.
 * It keeps no copy: views it hands out are of the bytes given. All that is wrong with them throws what `invalid` makes of
 * the reason.
 */
export class FieldReader {
  readonly #invalid: (reason: string) => Error
  readonly #wireTypes = new Uint8Array(MAX_FIELD + 1)
  /** Of a number its value, of bytes where they begin. */
  readonly #values = new Float64Array(MAX_FIELD + 1)
  readonly #ends = new Uint32Array(MAX_FIELD + 1)
  #bytes: Uint8Array = NOTHING
  #start = 0
  #end = 0
  // The field last stepped over.
  #at = 0
  #field = 0
  #wireType = ABSENT
  #value = 0

  constructor (invalid: (reason: string) => Error) {
    this.#invalid = invalid
  }

  read (bytes: Uint8Array, start = 0, end = bytes.byteLength): void {
    this.#bytes = bytes
    this.#at = this.#start = start
    this.#end = end
    this.#wireTypes.fill(ABSENT)
    while (this.#step()) {
      if (this.#field > MAX_FIELD) continue
      this.#wireTypes[this.#field] = this.#wireType
      this.#values[this.#field] = this.#value
      this.#ends[this.#field] = this.#at
    }
  }

  number (field: number): number {
    return this.#has(field, WIRE_VARINT, 'a number') ? this.#values[field] ?? 0 : 0
  }

  flag (field: number): boolean {
    return this.number(field) !== 0
  }

  /** One character for each byte. */
  text (field: number): string {
    return latin1(this.bytes(field))
  }

  /** A view of the bytes given to `read`. */
  bytes (field: number): Uint8Array {
    if (!this.#has(field, WIRE_BYTES, 'bytes')) return NOTHING
    return this.#bytes.subarray(this.#values[field], this.#ends[field])
  }

  /** What `FieldWriter.ascending` wrote: at most `maxCount` numbers, none above `maxValue`. */
  ascending (field: number, maxCount: number, maxValue: number): number[] {
    const numbers: number[] = []
    if (!this.#has(field, WIRE_BYTES, 'bytes')) return numbers
    const end = this.#ends[field] ?? 0
    let last = 0
    this.#at = this.#values[field] ?? 0
    while (this.#at < end) {
      const step = this.#varint(end)
      if (step === 0 && numbers.length > 0) throw this.#invalid(`field ${field} does not ascend`)
      last += step
      if (last > maxValue) throw this.#invalid(`field ${field} has ${last}, allowed are up to ${maxValue}`)
      if (numbers.length === maxCount) throw this.#invalid(`field ${field} has more than ${maxCount} numbers`)
      numbers.push(last)
    }
    return numbers
  }

  /** Views of all occurrences of a field that holds bytes, in their order. */
  all (field: number, maxCount: number): Uint8Array[] {
    const occurrences: Uint8Array[] = []
    this.#at = this.#start
    while (this.#step()) {
      if (this.#field !== field) continue
      if (this.#wireType !== WIRE_BYTES) throw this.#invalid(`field ${field} is not bytes`)
      if (occurrences.length === maxCount) throw this.#invalid(`field ${field} comes more than ${maxCount} times`)
      occurrences.push(this.#bytes.subarray(this.#value, this.#at))
    }
    return occurrences
  }

  #has (field: number, wireType: number, what: string): boolean {
    const found = this.#wireTypes[field] ?? ABSENT
    if (found !== wireType && found !== ABSENT) throw this.#invalid(`field ${field} is not ${what}`)
    return found === wireType
  }

  /** Steps over the next field; false at the end of the message. */
  #step (): boolean {
    if (this.#at >= this.#end) return false
    const tag = this.#varint(this.#end)
    this.#field = Math.floor(tag / 8)
    this.#wireType = tag % 8
    if (this.#field === 0) throw this.#invalid('a field numbered 0')
    if (this.#wireType !== WIRE_VARINT && this.#wireType !== WIRE_BYTES) throw this.#invalid(`wire type ${this.#wireType}`)
    this.#value = this.#varint(this.#end)
    if (this.#wireType === WIRE_VARINT) return true
    const start = this.#at
    this.#at += this.#value
    this.#value = start
    if (this.#at > this.#end) throw this.#invalid(`field ${this.#field} is longer than its message`)
    return true
  }

  #varint (end: number): number {
    const first = this.#bytes[this.#at] ?? 0
    if (first < 0x80 && this.#at < end) {
      this.#at++
      return first
    }
    const varint = decodeVarint(this.#bytes, this.#at)
    if (varint === undefined || varint === 'invalid' || varint.end > end) throw this.#invalid('a broken varint')
    this.#at = varint.end
    return varint.value
  }
}

/** One character for each byte. */
function latin1 (bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
}

function varintLength (value: number): number {
  let length = 1
  while (value >= 0x80) {
    value = Math.floor(value / 0x80)
    length++
  }
  return length
}

/** @returns the offset of the byte after it */
function writeVarint (to: Uint8Array, at: number, value: number): number {
  while (value >= 0x80) {
    to[at++] = (value % 0x80) | 0x80
    value = Math.floor(value / 0x80)
  }
  to[at++] = value
  return at
}
