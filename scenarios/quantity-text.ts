import { humanBytes, humanDuration } from '../src/values/human.ts'
import type { Unit } from './result.ts'

/** Below it a hundredth of a second is told. */
const FINE_MS = 60_000

/** A figure as people read it: `10.15 s`, `3.00 GB`, `300 MB/s`, `2,600`, `99.96 %`; `never` or `none` for null. */
export function quantityText (value: number | null, unit: Unit): string {
  if (value === null) return unit === 'ms' ? 'never' : 'none'
  switch (unit) {
    case 'ms': return durationText(value)
    case 'bytes': return bytesText(value)
    case 'bytes/s': return rateText(value)
    case 'count': return countText(value)
    case 'share': return shareText(value)
    default: return unit satisfies never
  }
}

export function bytesText (bytes: number): string {
  return bytes === Infinity ? 'unlimited' : humanBytes(bytes)
}

export function rateText (bytesPerSecond: number): string {
  return bytesPerSecond === Infinity ? 'unlimited' : `${humanBytes(bytesPerSecond)}/s`
}

export function durationText (ms: number): string {
  if (ms === Infinity) return 'never'
  // by seconds also where rounding makes a thousand milliseconds of it
  if (ms < 999.5) return `${Math.round(ms)} ms`
  return ms < FINE_MS ? `${(ms / 1000).toFixed(2)} s` : humanDuration(ms)
}

export function countText (count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 1 })
}

/** Only a whole is `100 %`. */
export function shareText (share: number): string {
  const percent = 100 * share
  return `${percent < 100 && percent > 99.99 ? '99.99' : Number(percent.toFixed(2))} %`
}

/** `1.04 x`, as in expectations. */
export function ratioText (ratio: number): string {
  return `${ratio.toFixed(ratio < 10 ? 2 : 1)} x`
}

/** `1 host`, `2,600 hosts`. */
export function hostsText (count: number): string {
  return `${countText(count)} host${count === 1 ? '' : 's'}`
}
