import { SwarmMessageError, type JoinMessage } from '../net/swarm-message.ts'
import { Bitfield } from '../swarm/bitfield.ts'

/** Pieces that a peer lists, ascending, of a blob of so many. @throws SwarmMessageError where there is none such */
export function checkedPieces (pieces: readonly number[], count: number): readonly number[] {
  const last = pieces.at(-1)
  if (last !== undefined && last >= count) throw new SwarmMessageError(`piece ${last} of ${count}`)
  return pieces
}

/** What a peer says that it holds of a blob of so many pieces. @throws SwarmMessageError where its bitfield is of another */
export function heldBy ({ complete, bitfield }: Pick<JoinMessage, 'complete' | 'bitfield'>, count: number): Bitfield {
  if (complete) return Bitfield.full(count)
  if (bitfield === undefined) return new Bitfield(count)
  const held = Bitfield.fromBytes(bitfield, count)
  if (held === undefined) throw new SwarmMessageError(`a bitfield that is not of ${count} pieces`)
  return held
}
