import { describe, expect, it } from 'vitest'
import { partsOf } from '../../src/net/message-parts.ts'
import { encodeMessage } from '../../src/net/swarm-encode.ts'
import { MAX_LISTED_PIECES } from '../../src/net/swarm-limits.ts'
import type { SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf } from '../../src/oci/digest.ts'

const channel = 3
const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index * 3)
const join = (taking?: readonly number[]): SwarmMessage => ({
  type: 'join', channel, kind: 'blob', digest: digestOf(Buffer.from('a blob')), size: 1, restricted: false, complete: false, leech: false, readsOrigin: true, ...taking && { taking }
})

describe('a message', () => {
  it.each<SwarmMessage>([
    { type: 'take', channel, pieces: upTo(MAX_LISTED_PIECES) },
    { type: 'have', channel, pieces: [], queue: 1 },
    { type: 'leave', channel },
    join(),
    join(upTo(MAX_LISTED_PIECES))
  ])('$type that one may say goes as it is', message => {
    expect(partsOf(message)).toBeUndefined()
  })

  const pieces = upTo(2 * MAX_LISTED_PIECES + 1)

  it.each<SwarmMessage>([
    { type: 'have', channel, pieces, queue: 9 },
    { type: 'take', channel, pieces },
    { type: 'release', channel, pieces },
    { type: 'request', channel, pieces },
    { type: 'cancel', channel, pieces },
    { type: 'reject', channel, pieces, reason: 'busy', queue: 9 }
  ])('$type of more pieces than one may list becomes several that list them all', message => {
    const parts = partsOf(message) ?? []
    expect(parts).toHaveLength(3)
    for (const part of parts) expect(() => encodeMessage(part)).not.toThrow()
    expect(parts.flatMap(part => 'pieces' in part ? part.pieces : [])).toEqual(pieces)
    expect(parts.map(part => ({ ...part, pieces }))).toEqual([message, message, message])
  })

  it('join of one that reads more pieces goes ahead of takes of the rest', () => {
    const parts = partsOf(join(pieces)) ?? []
    expect(parts).toMatchObject([{ type: 'join', taking: pieces.slice(0, MAX_LISTED_PIECES) }, { type: 'take', channel }, { type: 'take', channel }])
    expect(parts.flatMap(part => part.type === 'join' ? part.taking ?? [] : part.type === 'take' ? part.pieces : [])).toEqual(pieces)
  })
})
