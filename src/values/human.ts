const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** Bytes with three digits and a decimal unit, as Docker shows them: `3.42 MB`. */
export function humanBytes (bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${UNITS[unit] ?? ''}`
}

/** `340 ms`, `2.5 s`, `3 min 20 s`, `2 h 5 min`, `3 d 2 h`. */
export function humanDuration (ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  const [size, unit, smaller, smallerUnit] = ms < 3_600_000 ? [60_000, 'min', 1000, 's'] as const : ms < 86_400_000 ? [3_600_000, 'h', 60_000, 'min'] as const : [86_400_000, 'd', 3_600_000, 'h'] as const
  const rest = Math.floor(ms % size / smaller)
  return `${Math.floor(ms / size)} ${unit}${rest === 0 ? '' : ` ${rest} ${smallerUnit}`}`
}

/** Columns as wide as their widest cell, two spaces apart. */
export function textTable (rows: ReadonlyArray<readonly string[]>): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row => `${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd()}\n`).join('')
}

/** Of `sha256:<hex>` the first 12 hex characters. */
export function humanDigest (digest: string): string {
  return digest.slice(digest.indexOf(':') + 1).slice(0, 12)
}
