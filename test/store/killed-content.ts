import type { SpanSource } from '../../src/store/store.ts'
import { seededBytes } from '../support/image.ts'

const SIZE_BYTES = 12 * 1024 * 1024 + 12_345
/** Not a divisor of a block, so that blocks and pieces have several sources. */
const SOURCE_BYTES = 384 * 1024

export const KILLED_PIECE_BYTES = 256 * 1024

/** The blob that a process is killed over. */
export function killedBytes (): Buffer {
  return seededBytes(SIZE_BYTES, 'killed')
}

export function sourceAt (position: number): SpanSource {
  return Math.floor(position / SOURCE_BYTES) % 2 === 0 ? 'origin' : 'peer:a'
}

/** What is said of the piece that begins there. */
export function noteAt (position: number): string {
  return `of ${position}`
}
