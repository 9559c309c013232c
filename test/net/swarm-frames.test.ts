import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage } from '../../src/net/swarm-encode.ts'
import { FrameParser } from '../../src/net/swarm-frames.ts'
import { MAX_CHUNK_LENGTH, MAX_SWARM_MESSAGE_LENGTH } from '../../src/net/swarm-limits.ts'
import { SwarmMessageError, type PieceMessage, type SwarmMessage } from '../../src/net/swarm-message.ts'
import { encodeVarint } from '../../src/net/varint.ts'
import { FieldWriter } from '../../src/net/wire-fields.ts'
import { seededBytes } from '../support/image.ts'
import { anyMessage, messages } from './swarm-messages.ts'

/** What a parser brought: messages, and the bodies of pieces put together. */
type Got = SwarmMessage | { readonly body: number[] }

const ping: SwarmMessage = { type: 'ping', nonce: 7 }
/** All but the one after which nothing may come. */
const streams = fc.array(fc.oneof(anyMessage, messages.piece), { maxLength: 8 }).map(list => list.filter(message => message.type !== 'lane-switch'))

function bodyOf ({ piece, length }: PieceMessage): Uint8Array {
  return seededBytes(length, `piece ${piece}`)
}

function frameOf (message: SwarmMessage): Uint8Array {
  const head = encodeMessage(message)
  return message.type === 'piece' ? Buffer.concat([head, bodyOf(message)]) : head
}

function expected (list: readonly SwarmMessage[]): Got[] {
  return list.flatMap<Got>(message => message.type === 'piece' ? [message, { body: [...bodyOf(message)] }] : [message])
}

/** Checks what is promised about bodies while it gathers them. */
function listening (): { parser: FrameParser, got: Got[] } {
  const got: Got[] = []
  let current: { message: SwarmMessage, body: number[] } | undefined
  const parser = new FrameParser({
    onMessage: message => {
      expect(current).toBeUndefined()
      got.push(message)
      if (message.type === 'piece') current = { message, body: [] }
    },
    onBody: (message, bytes, offset, isLast) => {
      expect(message).toBe(current?.message)
      expect(offset).toBe(current?.body.length)
      expect(bytes.byteLength).toBeGreaterThan(0)
      current?.body.push(...bytes)
      expect(isLast).toBe(current?.body.length === message.length)
      if (isLast && current !== undefined) {
        got.push({ body: current.body })
        current = undefined
      }
    }
  })
  return { parser, got }
}

/** Pushes bytes that are overwritten after the call, as those of a reused buffer are. */
function lend (parser: FrameParser, bytes: Uint8Array): void {
  const lent = Buffer.from(bytes)
  parser.push(lent)
  lent.fill(0xff)
}

describe('a frame parser', () => {
  it('brings each message and each body once, however the bytes are cut', () => {
    fc.assert(fc.property(streams, fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (list, lengths) => {
      const bytes = Buffer.concat(list.map(frameOf))
      const { parser, got } = listening()
      for (let at = 0, part = 0; at < bytes.byteLength; part++) {
        const length = lengths[part % lengths.length] ?? 1
        lend(parser, bytes.subarray(at, at + length))
        at += length
      }
      expect(got).toEqual(expected(list))
    }))
  })

  it('brings the same wherever a stream is cut in two', () => {
    fc.assert(fc.property(streams, list => {
      const bytes = Buffer.concat(list.map(frameOf))
      for (let cut = 0; cut <= bytes.byteLength; cut++) {
        const { parser, got } = listening()
        lend(parser, bytes.subarray(0, cut))
        lend(parser, bytes.subarray(cut))
        expect(got).toEqual(expected(list))
      }
    }), { numRuns: 20 })
  })

  it('waits for the rest of a frame that is cut at any byte', () => {
    fc.assert(fc.property(anyMessage, message => {
      const bytes = frameOf(message)
      const head = encodeMessage(message).byteLength
      for (let length = 0; length < bytes.byteLength; length++) {
        const { parser, got } = listening()
        lend(parser, bytes.subarray(0, length))
        expect(got).toEqual(length < head ? [] : [message])
        expect(parser.isClosed).toBe(false)
      }
    }))
  })

  it('passes bodies on without copying them', () => {
    const pushed = frameOf({ type: 'piece', channel: 1, piece: 0, offset: 0, length: 300, queue: 0 })
    const bodies: Uint8Array[] = []
    const parser = new FrameParser({ onMessage: () => {}, onBody: (_, bytes) => { bodies.push(bytes) } })
    parser.push(pushed.subarray(0, 200))
    parser.push(pushed.subarray(200))
    expect(bodies.map(bytes => bytes.buffer)).toEqual([pushed.buffer, pushed.buffer])
  })

  it('reads the largest message and the largest body', () => {
    const { parser, got } = listening()
    const piece: PieceMessage = { type: 'piece', channel: 1, piece: 1, offset: 0, length: MAX_CHUNK_LENGTH, queue: 0 }
    const padded = new FieldWriter().number(1, 17).number(2, 7)
    padded.bytes(15, new Uint8Array(MAX_SWARM_MESSAGE_LENGTH - padded.length - 4))
    expect(padded.length).toBe(MAX_SWARM_MESSAGE_LENGTH)
    const bytes = Buffer.concat([padded.framed(), encodeMessage(piece)])
    lend(parser, bytes.subarray(0, 40_000))
    lend(parser, bytes.subarray(40_000))
    expect(got).toEqual([ping, piece])
    const last: boolean[] = []
    const bodies = new FrameParser({ onMessage: () => {}, onBody: (_, __, ___, isLast) => { last.push(isLast) } })
    bodies.push(Buffer.concat([encodeMessage(piece), new Uint8Array(MAX_CHUNK_LENGTH - 1)]))
    bodies.push(new Uint8Array(1))
    expect(last).toEqual([false, true])
  })

  it.each<[string, readonly number[]]>([
    ['of nothing', [0]],
    ['of nothing, written long', [0x80, 0x80, 0]],
    ['one byte too long', encodeVarint(MAX_SWARM_MESSAGE_LENGTH + 1)],
    ['far too long', [0xff, 0xff, 0x7f]],
    ['with a length that does not end', [0x80, 0x80, 0x80]]
  ])('refuses a message %s before any of it has come', (_, bytes) => {
    const { parser, got } = listening()
    expect(() => { for (const byte of bytes) parser.push(Uint8Array.of(byte)) }).toThrow(SwarmMessageError)
    expect(got).toEqual([])
  })

  it('takes a length that is written longer than it has to be, up to three bytes', () => {
    const { parser, got } = listening()
    const message = encodeMessage(ping).subarray(1)
    parser.push(Uint8Array.from([message.byteLength | 0x80, 0x80, 0, ...message]))
    expect(got).toEqual([ping])
  })

  it('skips messages of types it does not know', () => {
    const { parser, got } = listening()
    lend(parser, Buffer.concat([frameOf(ping), new FieldWriter().number(1, 99).number(5, 1_000).framed(), frameOf(ping)]))
    expect(got).toEqual([ping, ping])
  })

  it('takes no more after an error', () => {
    const { parser, got } = listening()
    expect(() => { parser.push(Buffer.concat([frameOf(ping), Uint8Array.of(1, 0xff), frameOf(ping)])) }).toThrow(expect.objectContaining({ code: 'SWARM_MESSAGE_INVALID', blamesPeer: true }))
    expect(parser.isClosed).toBe(true)
    parser.push(frameOf(ping))
    expect(got).toEqual([ping])
  })

  it('takes no more when a handler throws or closes it', () => {
    const seen: SwarmMessage[] = []
    const failure = new Error('enough')
    const throwing = new FrameParser({ onMessage: () => { throw failure }, onBody: () => {} })
    expect(() => { throwing.push(frameOf(ping)) }).toThrow(failure)
    expect(throwing.isClosed).toBe(true)
    const closing: FrameParser = new FrameParser({ onMessage: message => { seen.push(message); closing.close() }, onBody: () => { throw failure } })
    closing.push(Buffer.concat([frameOf({ type: 'piece', channel: 1, piece: 0, offset: 0, length: 3, queue: 0 }), frameOf(ping)]))
    closing.push(frameOf(ping))
    expect(seen).toHaveLength(1)
  })

  it('refuses anything after the switch to another lane', () => {
    const { parser, got } = listening()
    parser.push(frameOf({ type: 'lane-switch' }))
    expect(() => { parser.push(frameOf(ping)) }).toThrow(SwarmMessageError)
    expect(got).toEqual([{ type: 'lane-switch' }])
  })

  it('throws nothing but its own error for arbitrary bytes and for streams with changed bytes', () => {
    const changed = fc.tuple(streams, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })).map(([list, changes]) => {
      const bytes = Buffer.concat(list.map(frameOf))
      for (const [at, value] of changes) bytes[at % bytes.byteLength] = value
      return bytes
    })
    fc.assert(fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), changed), fc.integer({ min: 1, max: 100 }), (bytes, length) => {
      const { parser } = listening()
      try {
        for (let at = 0; at < bytes.byteLength; at += length) lend(parser, bytes.subarray(at, at + length))
      } catch (error) {
        expect(error).toBeInstanceOf(SwarmMessageError)
        expect(parser.isClosed).toBe(true)
      }
    }), { numRuns: 2_000 })
  })
})
