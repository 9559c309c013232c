/** Middle of the sorted values. */
export function median (values: readonly number[]): number {
  return percentile(values, 50)
}

/** Nearest rank. */
export function percentile (values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(sorted.length * percent / 100) - 1)] ?? NaN
}

/** `1.23 (1.10-1.31)`: the median, and between which values all lie; a single value stands alone. */
export function spread (values: readonly number[], digits = 2): string {
  if (values.length === 1) return median(values).toFixed(digits)
  return `${median(values).toFixed(digits)} (${Math.min(...values).toFixed(digits)}-${Math.max(...values).toFixed(digits)})`
}
