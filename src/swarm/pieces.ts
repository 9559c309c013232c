const KIB = 1024
const PIECES_AIM = 256

/** Bytes. */
export const MIN_PIECE_LENGTH = 128 * KIB
/** Bytes. */
export const MAX_PIECE_LENGTH = 4096 * KIB

/**
 * Length in bytes of all pieces of a blob but perhaps the last. It follows from the blob's size alone, so all agents
 * agree on it: the next power of two of size/256, at least 128 KiB and at most 4 MiB.
 */
export function pieceLength (size: number): number {
  let length = MIN_PIECE_LENGTH
  while (length < MAX_PIECE_LENGTH && length * PIECES_AIM < size) length *= 2
  return length
}

/** Where the last piece of a blob begins; 0 for an empty blob. */
export function lastPieceStart (size: number): number {
  const length = pieceLength(size)
  return Math.floor(Math.max(size - 1, 0) / length) * length
}
