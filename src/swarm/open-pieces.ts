import type { Bitfield } from './bitfield.ts'
import type { RequestLedger } from './ledger.ts'
import type { PieceMask } from './piece-mask.ts'

export interface OpenPiecesParts {
  /** Pieces that are here, whether they are known to be right or not. */
  readonly arrived: Bitfield
  readonly ledger: RequestLedger
  /** Pieces that we read from the origin. */
  readonly taking: ReadonlySet<number>
}

/** Marks the pieces that are neither here nor on their way to us. */
export function markOpen (mask: PieceMask, parts: OpenPiecesParts): PieceMask {
  return markUnread(mask, parts).without(parts.ledger.asked)
}

/** Makes the mask of those that are not here, and not being read from the origin, whether they are asked of members or not. */
export function markUnread (mask: PieceMask, { arrived, taking }: Omit<OpenPiecesParts, 'ledger'>): PieceMask {
  mask.fill().without(arrived)
  for (const piece of taking) mask.delete(piece)
  return mask
}
