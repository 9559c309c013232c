const KIB = 1024
/** Twice as many cost each host of a rollout a quarter more of its processor; half as many let it end later than it could. */
const PIECES_AIM = 128

/** Bytes. */
export const MIN_PIECE_LENGTH = 128 * KIB
/** A blob of so few pieces is read twice for little, so nobody waits long for anybody. */
export const SMALL_PIECES = 4
/** Bytes. Pieces of so many and more are large: a fast link is longer busy with each than with what is between them. */
export const LARGE_PIECE_LENGTH = 1024 * KIB
/** Bytes. */
export const MAX_PIECE_LENGTH = 4096 * KIB
/**
 * Of blobs of more than so many bytes all pieces have so many: a longer piece is longer half read, and in each generation of copies, which matters
 * the less the longer the blob takes, and each piece costs. Found by `shoal simulate`.
 */
const LONGER = [{ above: 4096 * 1024 * KIB, length: MAX_PIECE_LENGTH }, { above: 512 * 1024 * KIB, length: 2048 * KIB }]

/**
 * Length in bytes of all pieces of a blob but perhaps the last. It follows from the blob's size alone, so all agents
 * agree on it: the next power of two of size/128, at least 128 KiB and at most 1 MiB; 2 MiB of blobs of more than 512 MiB,
 * 4 MiB of more than 4 GiB.
 */
export function pieceLength (size: number): number {
  for (const { above, length } of LONGER) if (size > above) return length
  let length = MIN_PIECE_LENGTH
  while (length < LARGE_PIECE_LENGTH && length * PIECES_AIM < size) length *= 2
  return length
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
