import { ratioText, quantityText } from '../quantity-text.ts'
import type { SweepPoint } from '../sweep.ts'

/** Titles of `sweepRow`, the first being the key's. */
export function sweepTitles (key: string): string[] {
  return [key, 'Hosts done', 'T*', '50 %', '99 %', 'All', 'All against T*', 'From the origin', 'Of the image', 'Messages per host']
}

/** One run of a sweep in words. */
export function sweepRow ({ value, result }: SweepPoint): string[] {
  const { figures, bound, imageBytes, hosts } = result
  const time = (figure: string): string => quantityText(figures[figure] ?? null, 'ms')
  const max = figures['completion.max'] ?? null
  const sent = figures['origin.bytes'] ?? 0
  return [
    value,
    quantityText(figures['done.share'] ?? null, 'share'),
    quantityText(bound.ms, 'ms'),
    time('completion.p50'),
    time('completion.p99'),
    time('completion.max'),
    max === null || bound.ms === 0 ? '' : ratioText(max / bound.ms),
    quantityText(sent, 'bytes'),
    imageBytes === 0 ? '' : ratioText(sent / imageBytes),
    quantityText((figures['control.bytes'] ?? 0) / Math.max(1, hosts.length), 'bytes')
  ]
}
