import { randomInt } from 'node:crypto'
import { seededBytes } from './image.ts'

const VALUE_BYTES = 4

/** A number that `TEST_SEED` repeats; put it into the message of what may fail. */
export function testSeed (): string {
  return process.env.TEST_SEED ?? String(randomInt(1_000_000))
}

/** Numbers in [0, 1), as many as asked for, the same for the same seed. */
export function seededRandom (seed: string, count: number): number[] {
  const bytes = seededBytes(count * VALUE_BYTES, seed)
  return Array.from({ length: count }, (_, index) => bytes.readUInt32LE(index * VALUE_BYTES) / 2 ** 32)
}
