const RANGE_UNIT = /^([a-z0-9!#$%&'*+.^_`|~-]+)=(.*)$/is
const RANGE_SPEC = /^(?:([0-9]+)-([0-9]*)|-([0-9]+))$/
const ENTITY_TAG = /(?:W\/)?"([^"]*)"|[^\s,"]+/g
/** More than lazy-pulling clients put into one request. */
const MAX_RANGES = 64

/** Bytes `start` (inclusive) to `end` (exclusive); never empty, always within the content. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export type ByteRangeRequest =
  | { readonly type: 'whole' }
  | ({ readonly type: 'single' } & ByteRange)
  | { readonly type: 'several', readonly ranges: readonly ByteRange[] }
  | { readonly type: 'unsatisfiable' }

const WHOLE: ByteRangeRequest = { type: 'whole' }
const UNSATISFIABLE: ByteRangeRequest = { type: 'unsatisfiable' }

/**
 * What a Range header asks for: RFC 9110, section 14.2. Ignored (`whole`, 200), as the RFC allows and no client is hurt by:
 * other units, syntax that is none, more than 64 ranges, and ranges that together ask for more than all of it.
 * `unsatisfiable` (416): nothing of it lies within the content, or a range ends before it starts.
 * @param size bytes of the whole content
 */
export function parseByteRange (header: string | undefined, size: number): ByteRangeRequest {
  const [, unit, set] = RANGE_UNIT.exec(header?.trim() ?? '') ?? []
  if (unit?.toLowerCase() !== 'bytes' || set === undefined) return WHOLE
  const specs = set.split(',').map(spec => spec.trim()).filter(spec => spec !== '')
  if (specs.length === 0 || specs.length > MAX_RANGES) return WHOLE
  const ranges: ByteRange[] = []
  let isInverted = false
  for (const spec of specs) {
    const range = readSpec(spec, size)
    if (range === undefined) return WHOLE
    if (range === 'inverted') isInverted = true
    else if (range.start < range.end) ranges.push(range)
  }
  return isInverted ? UNSATISFIABLE : answer(ranges, specs.length, size)
}

/** The Content-Range of a 206, or of one part of it: RFC 9110, section 14.4. @param end exclusive */
export function contentRange (start: number, end: number, size: number): string {
  return `bytes ${start}-${end - 1}/${size}`
}

/** The Content-Range of a 416. */
export function unsatisfiedRange (size: number): string {
  return `bytes */${size}`
}

/**
 * Whether an If-None-Match header names this entity tag: weak comparison, RFC 9110, section 13.1.2. Tags without quotes
 * count too, for there are registry clients that send the bare digest.
 * @param etag with its quotes
 */
export function etagMatches (header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  if (header.trim() === '*') return true
  const opaque = etag.replace(/^W\//, '').replaceAll('"', '')
  return [...header.matchAll(ENTITY_TAG)].some(([bare, quoted]) => (quoted ?? bare) === opaque)
}

/**
 * Whether a Range header counts in spite of an If-Range header: strong comparison, RFC 9110, section 13.1.5. Dates never
 * match: content by digest has none.
 * @param etag with its quotes
 */
export function ifRangeMatches (header: string | undefined, etag: string): boolean {
  return header === undefined || (!etag.startsWith('W/') && header.trim() === etag)
}

/** Numbers too large to be exact are far beyond the end, which is all that matters of them. */
function readSpec (spec: string, size: number): ByteRange | 'inverted' | undefined {
  const [, first, last, suffix] = RANGE_SPEC.exec(spec) ?? []
  // The last bytes of nothing are all of it, and no Content-Range can say so.
  if (suffix !== undefined && size === 0 && Number(suffix) > 0) return undefined
  if (suffix !== undefined) return { start: size - Math.min(Number(suffix), size), end: size }
  if (first === undefined) return undefined
  const start = Number(first)
  if (last === undefined || last === '') return { start, end: size }
  return Number(last) < start ? 'inverted' : { start, end: Math.min(Number(last) + 1, size) }
}

function answer (ranges: readonly ByteRange[], asked: number, size: number): ByteRangeRequest {
  const [first] = ranges
  if (first === undefined) return UNSATISFIABLE
  if (asked === 1) return { type: 'single', ...first }
  const bytes = ranges.reduce((sum, { start, end }) => sum + end - start, 0)
  if (bytes > size) return WHOLE
  return ranges.length === 1 ? { type: 'single', ...first } : { type: 'several', ranges }
}
