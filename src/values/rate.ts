import { BYTE_UNITS } from './size.ts'

const UNITS: Readonly<Record<string, number>> = { ...BYTE_UNITS, kB: 1e3, Gbit: 1e9 / 8, Mbit: 1e6 / 8, Kbit: 1e3 / 8, kbit: 1e3 / 8, bit: 1 / 8 }
const RATE = /^(\d{1,12}(?:\.\d{1,3})?)([a-z]{1,4})\/s$/i
const MIN_BYTES_PER_SECOND = 1000
const MAX_BYTES_PER_SECOND = 1e12

/**
 * `20MB/s`, `500KB/s`, `1MiB/s`, `80Mbit/s` in bytes per second; undefined when it is none of these, or not from 1KB/s
 * to 1000GB/s. Upper and lower case tell: `Mb` is no unit, as some mean bits by it and some bytes.
 */
export function parseRate (text: string): number | undefined {
  const [, number, unit = ''] = RATE.exec(text) ?? []
  const bytesPerSecond = Math.round(Number(number) * (Object.hasOwn(UNITS, unit) ? UNITS[unit] ?? NaN : NaN))
  return bytesPerSecond >= MIN_BYTES_PER_SECOND && bytesPerSecond <= MAX_BYTES_PER_SECOND ? bytesPerSecond : undefined
}

/** A text that `parseRate` reads as the same bytes per second: in the largest unit that goes into it. */
export function formatRate (bytesPerSecond: number): string {
  for (const [unit, bytes] of Object.entries(BYTE_UNITS)) {
    if (bytesPerSecond % bytes === 0) return `${bytesPerSecond / bytes}${unit}/s`
  }
  return `${bytesPerSecond}B/s`
}
