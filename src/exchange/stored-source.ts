import type { SharedPieces } from '../net/peers.ts'
import { pieceSpan } from '../swarm/pieces.ts'
import type { PieceSource } from './piece-source.ts'

/** Pieces of a blob that is in the store. */
export function storedSource (reader: SharedPieces): PieceSource {
  return {
    read: async (buffer, position) => reader.read(buffer, position),
    hash: async piece => reader.hash(pieceSpan(reader.size, piece)),
    verify: async () => reader.verify()
  }
}
