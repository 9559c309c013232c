/** The values in random order. @param random - numbers in [0, 1) */
export function shuffled<Value> (values: readonly Value[], random: () => number): Value[] {
  const all = [...values]
  for (let index = all.length - 1; index > 0; index--) {
    const other = Math.floor(random() * (index + 1))
    const value = all[index] as Value
    all[index] = all[other] as Value
    all[other] = value
  }
  return all
}

/** So many of the values at the most, at random. @param random - numbers in [0, 1) */
export function sampleOf<Value> (values: readonly Value[], count: number, random: () => number): Value[] {
  return values.length <= count ? [...values] : shuffled(values, random).slice(0, count)
}
