const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const DURATION = /^(\d{1,10}(?:\.\d{1,3})?)(ms|s|m|h)$/
/** The longest a Node timer can wait. */
const MAX_MS = 2 ** 31 - 1

/**
 * `500ms`, `0.2ms`, `1.5s`, `5m`, `1h` or `0` in milliseconds, to the thousandth; undefined when it is none of these or longer
 * than a timer can wait (24 days).
 */
export function parseDuration (text: string): number | undefined {
  if (text === '0') return 0
  const match = DURATION.exec(text)
  if (match === null) return undefined
  const ms = Math.round(Number(match[1]) * UNITS[match[2] as keyof typeof UNITS] * 1000) / 1000
  return ms <= MAX_MS ? ms : undefined
}

/** The shortest text that `parseDuration` reads as the same milliseconds. */
export function formatDuration (ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    if (ms > 0 && ms % UNITS[unit] === 0) return `${ms / UNITS[unit]}${unit}`
  }
  return `${ms}ms`
}
