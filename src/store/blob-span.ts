import type { SourceSpans } from './source-spans.ts'
import type { ByteSpan, ConfirmedSpan } from './store.ts'

const SHA256_HEX = /^[0-9a-f]{64}$/
const MAX_NOTE_BYTES = 4096

/** @throws RangeError when the span is not within [0, size) */
export function checkSpan (span: ByteSpan | undefined, size: number): ByteSpan {
  if (span === undefined) return { start: 0, end: size }
  const { start, end } = span
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > size) {
    throw new RangeError(`span ${start} to ${end} is not within ${size} bytes`)
  }
  return span
}

/** @throws RangeError when it is empty, a byte of it can't be read, or hash or note are not what they should be */
export function confirmedSpan (span: ByteSpan, sha256: string, note: string | undefined, readable: SourceSpans): ConfirmedSpan {
  const { start, end } = checkSpan(span, readable.end)
  if (start === end || !readable.has(start, end)) throw new RangeError(`span ${start} to ${end} cannot be confirmed: no byte, or some are missing`)
  if (!SHA256_HEX.test(sha256)) throw new RangeError(`${sha256} is no SHA-256 in hex`)
  if (note !== undefined && Buffer.byteLength(note) > MAX_NOTE_BYTES) throw new RangeError(`a note has at most ${MAX_NOTE_BYTES} bytes, not ${Buffer.byteLength(note)}`)
  return { start, end, sha256, ...note !== undefined && { note } }
}
