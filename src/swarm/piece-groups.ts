import { pieceLength } from './pieces.ts'

/** A request costs the origin the same whatever its length, so it is to bring so many bytes, as far as pieces are that small. */
const GROUP_BYTES = 512 * 1024
/** And so many, of a blob that has enough of them for eight readers to share: else shorter pieces would mean more requests. */
const LARGE_GROUP_BYTES = 2 * 1024 * 1024
const MANY_GROUPS = 64

/**
 * Neighbouring pieces of a blob that have one owner, which reads them by one request. How many follows from the blob's size, as
 * `pieceLength` does. No more than that: eight readers share few large groups unevenly, and some read when others are done.
 */
export class PieceGroups {
  /** Pieces of a group, but perhaps of the last. */
  readonly length: number

  /** @param size - bytes of the blob */
  constructor (size: number) {
    const bytes = size > MANY_GROUPS * LARGE_GROUP_BYTES ? LARGE_GROUP_BYTES : GROUP_BYTES
    this.length = Math.max(1, bytes / pieceLength(size))
  }

  of (piece: number): number {
    return Math.floor(piece / this.length)
  }

  /** The last piece of the group that this one is in; behind the last of the blob perhaps. */
  last (piece: number): number {
    return (this.of(piece) + 1) * this.length - 1
  }
}
