import { describe, expect, it } from 'vitest'
import { MessageAllowance } from '../../src/net/message-allowance.ts'
import type { SwarmMessage } from '../../src/net/swarm-message.ts'

const ENOUGH = 1_000_000
const channel = 1
const messages: ReadonlyArray<[string, number, SwarmMessage]> = [
  ['pings', 40_000, { type: 'ping', nonce: 1 }],
  ['short haves', 40_000, { type: 'have', channel, pieces: [1], queue: 0 }],
  ['long haves', 155, { type: 'have', channel, pieces: Array.from({ length: 4096 }, (_, piece) => piece), queue: 0 }],
  ['requests of one piece', 20_000, { type: 'request', channel, pieces: [1] }],
  ['requests of many pieces', 9, { type: 'request', channel, pieces: Array.from({ length: 4096 }, (_, piece) => piece) }],
  ['lists of members', 2_000, { type: 'members', of: channel, members: [] }],
  ['attestations', 2_000, { type: 'attest', channel, attestation: Uint8Array.of(1) }],
  ['short chunks', 40_000, { type: 'piece', channel, piece: 0, offset: 0, length: 1, queue: 0 }],
  ['chunks', ENOUGH, { type: 'piece', channel, piece: 0, offset: 0, length: 65_536, queue: 0 }]
]

/** How many of the message may be said, up to `ENOUGH`. */
function count (allowance: MessageAllowance, message: SwarmMessage): number {
  for (let said = 0; said < ENOUGH; said++) {
    try {
      allowance.spend(message)
    } catch (error) {
      expect(error).toMatchObject({ code: 'SWARM_MESSAGE_INVALID', blamesPeer: true })
      return said
    }
  }
  return ENOUGH
}

describe('a peer', () => {
  it.each(messages)('may say %s at once %i times', (_what, times, message) => {
    expect(count(new MessageAllowance(() => 0), message)).toBe(times)
  })

  it('may say twenty thousand cheap messages a second for ever', () => {
    let nowMs = 0
    const allowance = new MessageAllowance(() => nowMs)
    for (let second = 0; second < 100; second++) {
      for (let said = 0; said < 20_000; said++) allowance.spend({ type: 'ping', nonce: 1 })
      nowMs += 1_000
    }
    expect(count(allowance, { type: 'ping', nonce: 1 })).toBe(40_000)
  })

  it('has no more in hand after a long pause than after a short one', () => {
    let nowMs = 0
    const allowance = new MessageAllowance(() => nowMs)
    count(allowance, { type: 'ping', nonce: 1 })
    nowMs = 1e9
    expect(count(allowance, { type: 'ping', nonce: 1 })).toBeLessThanOrEqual(40_001)
  })
})
