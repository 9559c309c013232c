const KIB = 1024
/** Twice as many cost each host of a rollout a quarter more of its processor; half as many let it end later than it could. */
const PIECES_AIM = 128

/** Bytes. */
export const MIN_PIECE_LENGTH = 128 * KIB
/** A blob of so few pieces is read twice for little, so nobody waits long for anybody. */
export const SMALL_PIECES = 4
/** Bytes. Twice as long a piece is longer half read, and in each generation of copies: found by `shoal simulate kraken-2600`. */
export const LARGE_PIECE_LENGTH = 2048 * KIB
/** Bytes: of blobs so large that it costs little of their time, and more pieces would cost more than it. */
export const MAX_PIECE_LENGTH = 4096 * KIB
/** Large pieces of a blob, at the most. */
const MOST_LARGE_PIECES = 2048

/**
 * Length in bytes of all pieces of a blob but perhaps the last. It follows from the blob's size alone, so all agents
 * agree on it: the next power of two of size/128, at least 128 KiB and at most 2 MiB; 4 MiB of blobs of more than 4 GiB.
 */
export function pieceLength (size: number): number {
  if (size > MOST_LARGE_PIECES * LARGE_PIECE_LENGTH) return MAX_PIECE_LENGTH
  let length = MIN_PIECE_LENGTH
  while (length < LARGE_PIECE_LENGTH && length * PIECES_AIM < size) length *= 2
  return length
}

/** Whether all pieces of the blob but perhaps the last have 2 MiB or more. */
export function hasLargePieces (size: number): boolean {
  return pieceLength(size) >= LARGE_PIECE_LENGTH
}

/** Pieces of a blob; none for an empty one. */
export function pieceCount (size: number): number {
  return Math.ceil(size / pieceLength(size))
}

/** Bytes `start` (inclusive) to `end` (exclusive) of the blob. */
export function pieceSpan (size: number, piece: number): { start: number, end: number } {
  const length = pieceLength(size)
  return { start: piece * length, end: Math.min(size, (piece + 1) * length) }
}

/** Where the last piece of a blob begins; 0 for an empty blob. */
export function lastPieceStart (size: number): number {
  return Math.max(pieceCount(size) - 1, 0) * pieceLength(size)
}
