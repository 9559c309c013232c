/**
 * So many of all that fetch a blob read it from the origin, those that stand highest; the others have it of them. As many as
 * fill its link without sharing it into slow parts: where all read, the first pieces are there when all are half done.
 */
export const READERS = 8

/** What of an agent bears on whether it reads from the origin. */
export interface Standing {
  /** `standingOf` its seed. */
  readonly standing: number
}

export interface ReaderRanking {
  /** Whether we read. */
  readonly isReader: boolean
  /** How many of the others stand higher than we. */
  readonly above: number
  /** More fetch the blob than read it. */
  readonly isCrowded: boolean
  /** Others that stand at least so high come before us, or read beside us. */
  readonly bar: number
}

/**
 * Whether we are one of those that read, and who else is.
 * @param standing - ours; undefined: nobody could get it from us, so the others come before us as long as there are any
 * @param others - all that may read
 * @param readers - how many read; Infinity: all
 */
export function rankReaders (standing: number | undefined, others: readonly Standing[], readers = READERS): ReaderRanking {
  const standings = others.map(other => other.standing).sort((one, other) => other - one)
  const isCrowded = standings.length >= readers
  if (standing === undefined) return { isReader: false, above: standings.length, isCrowded, bar: standings[readers - 1] ?? 0 }
  let above = 0
  while ((standings[above] ?? -1) > standing) above++
  const isReader = above < readers
  // who reads has seven others beside it; who does not comes behind all that stand higher, of whom many may be gone
  return { isReader, above, isCrowded, bar: isReader ? standings[readers - 2] ?? 0 : standing + 1 }
}

/** Those that read, as far as they are among these: the highest first. */
export function foremostOf<Agent extends Standing> (agents: readonly Agent[]): Agent[] {
  return [...agents].sort((one, other) => other.standing - one.standing).slice(0, READERS)
}
