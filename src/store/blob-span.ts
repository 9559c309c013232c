import type { ByteSpan } from './store.ts'

/** @throws RangeError when the span is not within [0, size) */
export function checkSpan (span: ByteSpan | undefined, size: number): ByteSpan {
  if (span === undefined) return { start: 0, end: size }
  const { start, end } = span
  if (!Number.isSafeInteger(start) || !Number.isSafeInteger(end) || start < 0 || end < start || end > size) {
    throw new RangeError(`span ${start} to ${end} is not within ${size} bytes`)
  }
  return span
}
