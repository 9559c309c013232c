const SATISFIED = /^bytes (\d{1,16})-(\d{1,16})\/(\d{1,16}|\*)$/i
const UNSATISFIED = /^bytes \*\/(\d{1,16})$/i
const LENGTH = /^\d{1,16}$/

export interface ContentRange {
  readonly start: number
  /** Of the last byte. */
  readonly end: number
  /** undefined where the server did not say. */
  readonly total: number | undefined
}

/** Content-Range of a 206: RFC 9110, section 14.4. undefined where it cannot be right. */
export function parseContentRange (header: string | undefined): ContentRange | undefined {
  const [, start, end, total] = SATISFIED.exec(header?.trim() ?? '') ?? []
  const range = { start: Number(start), end: Number(end), total: total === '*' ? undefined : Number(total) }
  const isPossible = start !== undefined && range.start <= range.end && (range.total === undefined || range.end < range.total)
  return isPossible && Number.isSafeInteger(range.total ?? range.end) ? range : undefined
}

/** Length of the whole, from the Content-Range of a 416. */
export function parseUnsatisfiedRange (header: string | undefined): number | undefined {
  const total = UNSATISFIED.exec(header?.trim() ?? '')?.[1]
  return total === undefined ? undefined : Number(total)
}

/** Content-Length: digits and nothing else. undefined where there is none or it cannot be right. */
export function parseContentLength (header: string | undefined): number | undefined {
  const text = header?.trim() ?? ''
  return LENGTH.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : undefined
}
