import type { Span } from '../plan.ts'

const PRECISION = 1e-12
/** Years: beyond it nothing comes any more. */
const FOREVER_MS = 1e12

/** Somebody who can send. */
export interface Sender {
  /** Bytes per second. */
  readonly rate: number
  readonly fromMs: number
  /** When it sends nothing; they do not overlap. */
  readonly outages?: readonly Span[]
}

/** Bytes that all of them together can have sent by then. */
export function sentBy (senders: readonly Sender[], atMs: number): number {
  return senders.reduce((bytes, { rate, fromMs, outages = [] }) => {
    if (atMs <= fromMs) return bytes
    const silentMs = outages.reduce((sum, outage) => sum + Math.max(0, Math.min(outage.toMs, atMs) - Math.max(outage.fromMs, fromMs)), 0)
    return bytes + rate * (atMs - fromMs - silentMs) / 1000
  }, 0)
}

/** The first moment at which a supply that never shrinks reaches a demand, in milliseconds; Infinity: never. */
export function soonestMs (demand: number, supplyBy: (atMs: number) => number): number {
  if (demand <= 0) return 0
  let late = 1
  while (supplyBy(late) < demand) {
    late *= 2
    if (late > FOREVER_MS) return Infinity
  }
  let early = 0
  while (late - early > PRECISION * late) {
    const middle = (early + late) / 2
    if (supplyBy(middle) < demand) early = middle
    else late = middle
  }
  return late
}
