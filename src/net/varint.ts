/** Unsigned LEB128 as protocol buffers use it, limited to what a number holds exactly. */
const MAX_BYTES = 8

/** Bytes of `value`, least significant group first. `value` is a safe integer ≥ 0. */
export function encodeVarint (value: number): number[] {
  const bytes: number[] = []
  while (value >= 0x80) {
    bytes.push((value % 0x80) | 0x80)
    value = Math.floor(value / 0x80)
  }
  bytes.push(value)
  return bytes
}

export interface DecodedVarint {
  readonly value: number
  /** Offset of the byte after it. */
  readonly end: number
}

/** @returns undefined when `bytes` ends inside it; 'invalid' when it is longer than 8 bytes or above 2^53 - 1 */
export function decodeVarint (bytes: Uint8Array, offset = 0): DecodedVarint | 'invalid' | undefined {
  let value = 0
  let scale = 1
  for (let length = 0; length < MAX_BYTES; length++) {
    const byte = bytes[offset + length]
    if (byte === undefined) return undefined
    value += (byte & 0x7f) * scale
    if (byte < 0x80) return Number.isSafeInteger(value) ? { value, end: offset + length + 1 } : 'invalid'
    scale *= 0x80
  }
  return 'invalid'
}
