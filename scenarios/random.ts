/**
 * Numbers in [0, 1), always the same ones for the same seed and name, so that what one part of a run draws does not change
 * what another does. sfc32, seeded by FNV-1a.
 */
export function randomOf (seed: number, name: string): () => number {
  let hash = 0x811c9dc5 ^ seed
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 0x01000193)
  let a = seed | 0
  let b = hash
  let c = Math.imul(hash, 0x9e3779b9)
  let counter = 1
  const next = (): number => {
    const sum = (a + b | 0) + counter | 0
    counter = counter + 1 | 0
    a = b ^ b >>> 9
    b = c + (c << 3) | 0
    c = (c << 21 | c >>> 11) + sum | 0
    return (sum >>> 0) / 2 ** 32
  }
  // the first numbers still resemble the seed
  for (let round = 0; round < 12; round++) next()
  return next
}

/** Exponentially distributed, with that mean. */
export function exponential (mean: number, random: () => number): number {
  return -mean * Math.log(1 - random())
}
