/** Room for what 0.999 × n is off by in floating point. */
const ROUNDING = 1e-9

/**
 * By nearest rank: the smallest of the values that at least `share` of `count` do not exceed; so it is one that was seen.
 * @param ascending - those that have a value; the others of `count` never got one, and rank last
 * @returns null: that rank has no value, or there is nobody
 */
export function percentile (ascending: readonly number[], share: number, count = ascending.length): number | null {
  return ascending[Math.max(1, Math.ceil(share * count - ROUNDING)) - 1] ?? null
}
