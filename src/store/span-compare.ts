import type { BlobReader, SourcedSpan, SpanSource } from './store.ts'

/** Reads up to `buffer.length` bytes of the wrong copy at `position`; 0 at its end. */
export type ReadAt = (buffer: Uint8Array, position: number) => Promise<number>

/**
 * Finds who gave at least one byte of the wrong copy that differs from the right blob or lies beyond its end.
 * Both are read once, in order, in chunks.
 */
export async function findWrongSources (spans: readonly SourcedSpan[], readWrong: ReadAt, right: BlobReader, signal?: AbortSignal): Promise<SpanSource[]> {
  const wrong = new Set<SpanSource>()
  const length = spans.at(-1)?.end ?? 0
  const rightSize = right.record.size
  let buffer = new Uint8Array(0)
  let position = 0
  for await (const chunk of right.stream({ start: 0, end: Math.min(length, rightSize) }, { signal }) as AsyncIterable<Uint8Array>) {
    if (buffer.length < chunk.length) buffer = new Uint8Array(chunk.length)
    const bytesRead = await readFully(readWrong, buffer.subarray(0, chunk.length), position)
    compareChunk(spans, chunk, buffer.subarray(0, bytesRead), position, wrong)
    position += chunk.length
  }
  for (const span of spans) {
    if (span.end > rightSize) wrong.add(span.source)
  }
  return [...wrong]
}

function compareChunk (spans: readonly SourcedSpan[], right: Uint8Array, actual: Uint8Array, position: number, wrong: Set<SpanSource>): void {
  if (Buffer.compare(right, actual) === 0) return
  for (const span of spans) {
    const start = Math.max(span.start - position, 0)
    const end = Math.min(span.end - position, right.length)
    if (end <= start || wrong.has(span.source)) continue
    if (Buffer.compare(right.subarray(start, end), actual.subarray(start, end)) !== 0) wrong.add(span.source)
  }
}

async function readFully (read: ReadAt, buffer: Uint8Array, position: number): Promise<number> {
  let filled = 0
  while (filled < buffer.length) {
    const bytesRead = await read(buffer.subarray(filled), position + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return filled
}
