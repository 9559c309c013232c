/** One measured line; `isMet` where there is a bar. */
export interface Row {
  readonly what: string
  readonly value: string
  readonly bar?: string
  readonly isMet?: boolean
}

export interface Section {
  readonly title: string
  readonly rows: readonly Row[]
}

export function printSection ({ title, rows }: Section): void {
  console.log(`\n${title}`)
  const width = Math.max(...rows.map(({ what }) => what.length))
  for (const { what, value, bar, isMet } of rows) {
    const verdict = bar === undefined ? '' : `   ${isMet === true ? 'ok' : 'MISSED'} (${bar})`
    console.log(`  ${what.padEnd(width)}  ${value}${verdict}`)
  }
}

/** A ratio held against the most it may be. */
export function atMost (what: string, value: number, limit: number, text: string): Row {
  return { what, value: text, bar: `at most ${limit}`, isMet: value <= limit }
}

/** A ratio held against the least it must be. */
export function atLeast (what: string, value: number, limit: number, text: string): Row {
  return { what, value: text, bar: `at least ${limit}`, isMet: value >= limit }
}
