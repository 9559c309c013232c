const PERCENT = /^(\d{1,3}(?:\.\d{1,6})?)%$/
/** What a percentage may have behind the dot, and two more. */
const DIGITS = 1e8

/** `5%`, `99.9%` or 0.05 as 0 to 1; undefined when it is none of these. */
export function parseShare (given: string | number): number | undefined {
  const part = typeof given === 'number' ? given : Math.round(Number(PERCENT.exec(given)?.[1]) / 100 * DIGITS) / DIGITS
  return part >= 0 && part <= 1 ? part : undefined
}
