import { MAX_CHUNK_LENGTH } from './swarm-limits.ts'

/** Rather than a last chunk that is short each is a bit longer, at the most by this part. */
const MAX_EXCESS = 1 / 10

/** The next chunk of so many bytes, cut into equal parts that are hardly longer than `aim`: each is written and read by itself, however short. */
export function nextChunk (left: number, aim: number): number {
  const parts = Math.ceil(left / Math.min(aim * (1 + MAX_EXCESS), MAX_CHUNK_LENGTH))
  return Math.ceil(left / parts)
}
