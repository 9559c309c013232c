import { MAX_LISTED_PIECES } from './swarm-limits.ts'
import type { SwarmMessage } from './swarm-message.ts'

/**
 * The messages that say together what this one would, if it lists more pieces than a message may hold: the same with a part of
 * the list each, and what a join has too much of as `take` behind it. Undefined: it goes as it is.
 */
export function partsOf (message: SwarmMessage): readonly SwarmMessage[] | undefined {
  switch (message.type) {
    case 'have':
    case 'take':
    case 'release':
    case 'request':
    case 'cancel':
    case 'reject':
      return isShort(message.pieces) ? undefined : cut(message.pieces).map(pieces => ({ ...message, pieces }))
    case 'join': {
      const { channel, taking } = message
      if (taking === undefined || isShort(taking)) return undefined
      const [first, ...others] = cut(taking)
      return [{ ...message, taking: first }, ...others.map(pieces => ({ type: 'take' as const, channel, pieces }))]
    }
    default:
      return undefined
  }
}

function isShort (pieces: readonly number[]): boolean {
  return pieces.length <= MAX_LISTED_PIECES
}

function cut (pieces: readonly number[]): number[][] {
  const parts: number[][] = []
  for (let start = 0; start < pieces.length; start += MAX_LISTED_PIECES) parts.push(pieces.slice(start, start + MAX_LISTED_PIECES))
  return parts
}
