/** Where the bytes of held pieces are read. */
export interface PieceSource {
  /** Up to `buffer.length` bytes from `position` of the blob, at least one. */
  read (buffer: Uint8Array, position: number): Promise<number>
  /** sha256 of a held piece. */
  hash (piece: number): Promise<Uint8Array>
  /** Hashes the whole again. False: it is not right, and is not there any more. */
  verify? (): Promise<boolean>
}
