import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MAX_OPEN_CHANNELS } from '../../src/net/swarm-limits.ts'
import { SwarmMessageError, type SwarmMessage } from '../../src/net/swarm-message.ts'
import { SwarmProtocolState } from '../../src/net/swarm-protocol-state.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { anyMessage, messages } from './swarm-messages.ts'

const hello: SwarmMessage = { type: 'hello', leech: false }
const leave = (channel: number): SwarmMessage => ({ type: 'leave', channel })
const join = (channel: number): SwarmMessage => ({ type: 'join', channel, kind: 'blob', digest: digestOf(new Uint8Array()), size: 1, restricted: false, complete: true, leech: false, readsOrigin: false })
const have = (channel: number): SwarmMessage => ({ type: 'have', channel, pieces: [0], queue: 0 })

function told (...list: SwarmMessage[]): SwarmProtocolState {
  const state = new SwarmProtocolState()
  for (const message of list) state.receive(message)
  return state
}

describe('the state of the swarm protocol', () => {
  it('wants hello before anything else', () => {
    fc.assert(fc.property(anyMessage, message => {
      const receive = (): void => { told().receive(message) }
      if (message.type === 'hello') receive()
      else expect(receive).toThrow(SwarmMessageError)
    }))
  })

  it('wants hello once', () => {
    expect(() => told(hello, hello)).toThrow(SwarmMessageError)
  })

  it.each(['leave', 'have', 'take', 'release', 'request', 'cancel', 'reject', 'piece', 'attest', 'accuse'] as const)('wants %s between the join and the leave of its channel', type => {
    fc.assert(fc.property(messages[type], message => {
      if (!('channel' in message)) throw new TypeError('a message without channel')
      const { channel } = message
      const other = channel === 1 ? 2 : 1
      expect(() => told(hello, join(other), message)).toThrow(SwarmMessageError)
      expect(() => told(hello, join(channel), leave(channel), message)).toThrow(SwarmMessageError)
      told(hello, join(other), join(channel), message)
    }), { numRuns: 20 })
  })

  it.each(['missing', 'members', 'lane-offer', 'lane-refused', 'ping', 'pong'] as const)('takes %s at any time after hello', type => {
    fc.assert(fc.property(messages[type], message => { told(hello, message, message) }), { numRuns: 20 })
  })

  it('wants a channel to be open once at a time', () => {
    expect(() => told(hello, join(3), join(3))).toThrow(SwarmMessageError)
    told(hello, join(3), leave(3), join(3), have(3), leave(3))
  })

  it('bounds the channels open at a time', () => {
    const channels = Array.from({ length: MAX_OPEN_CHANNELS }, (_, index) => index + 1)
    const state = told(hello, ...channels.map(join))
    expect(() => { state.receive(join(MAX_OPEN_CHANNELS + 1)) }).toThrow(SwarmMessageError)
    state.receive(leave(1))
    state.receive(join(MAX_OPEN_CHANNELS + 1))
  })

  it('allows one switch to another lane', () => {
    const state = told(hello, { type: 'lane-switch' })
    expect(() => { state.receive({ type: 'lane-switch' }) }).toThrow(SwarmMessageError)
  })
})
