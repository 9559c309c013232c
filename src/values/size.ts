/** Bytes by unit, the largest of each family first. */
export const BYTE_UNITS = { GB: 1e9, MB: 1e6, KB: 1e3, GiB: 2 ** 30, MiB: 2 ** 20, KiB: 2 ** 10, B: 1 } as const
const UNITS: Readonly<Record<string, number>> = { TB: 1e12, TiB: 2 ** 40, ...BYTE_UNITS, kB: 1e3 }
const SIZE = /^(\d{1,12}(?:\.\d{1,3})?)([a-z]{1,3})$/i

/** `3GB`, `64MiB`, `1.5MB`, `512B` in bytes; undefined when it is none of these. A number alone is none: it could be anything. */
export function parseSize (text: string): number | undefined {
  const [, number, unit = ''] = SIZE.exec(text) ?? []
  const bytes = Math.round(Number(number) * (Object.hasOwn(UNITS, unit) ? UNITS[unit] ?? NaN : NaN))
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

/** A text that `parseSize` reads as the same bytes: in the largest unit that goes into it. */
export function formatSize (bytes: number): string {
  for (const [unit, size] of Object.entries(BYTE_UNITS)) {
    if (bytes > 0 && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return `${bytes}B`
}
