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
export function markOpen (mask: PieceMask, { arrived, ledger, taking }: OpenPiecesParts): PieceMask {
  mask.fill().without(arrived).without(ledger.asked)
  for (const piece of taking) mask.delete(piece)
  return mask
}
