import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeMessage } from '../../src/net/swarm-decode.ts'
import { encodeMessage } from '../../src/net/swarm-encode.ts'
import * as limits from '../../src/net/swarm-limits.ts'
import { SwarmMessageError, TYPES, type SwarmMessage } from '../../src/net/swarm-message.ts'
import { decodeVarint, encodeVarint } from '../../src/net/varint.ts'
import { FieldWriter } from '../../src/net/wire-fields.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { MAX_PIECE_LENGTH } from '../../src/swarm/pieces.ts'
import { anyMessage, messages } from './swarm-messages.ts'

const DIGEST = digestOf(new Uint8Array(), 'sha512')
const PEER = '1'.repeat(limits.MAX_PEER_LENGTH)
const secret = new Uint8Array(limits.LANE_SECRET_LENGTH)

describe('the swarm codec', () => {
  it.each(TYPES)('reads back every %s it wrote', type => {
    fc.assert(fc.property(messages[type], message => { expect(decodeMessage(withoutLength(encodeMessage(message)))).toEqual(message) }))
  })

  // The examples of docs/protocol.md: other implementations hold on to them.
  it.each<[string, SwarmMessage]>([
    ['0d 08 01 12 06 72 61 63 6b 20 33 20 98 75', { type: 'hello', zone: 'rack 3', leech: false, keepAliveMs: 15_000 }],
    ['0c 08 05 10 01 1a 04 04 01 a7 02 20 02', { type: 'have', channel: 1, pieces: [4, 5, 300], queue: 2 }],
    ['07 08 08 10 01 1a 01 00', { type: 'request', channel: 1, pieces: [0] }],
    ['0c 08 0a 10 01 1a 02 03 03 20 03 28 09', { type: 'reject', channel: 1, pieces: [3, 6], reason: 'busy', queue: 9 }],
    ['0e 08 0b 10 01 18 03 20 80 80 04 28 80 80 04', { type: 'piece', channel: 1, piece: 3, offset: 65_536, length: 65_536, queue: 0 }]
  ])('writes and reads %s', (hex, message) => {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex')
    expect(Buffer.from(encodeMessage(message))).toEqual(bytes)
    expect(decodeMessage(bytes, 1)).toEqual(message)
  })

  it('numbers the types as they are documented', () => {
    expect(TYPES.map((type, index) => `${index + 1} ${type}`).join(' ')).toBe('1 hello 2 join 3 missing 4 leave 5 have 6 take 7 release 8 request 9 cancel 10 reject 11 piece 12 attest ' +
      '13 members 14 lane-offer 15 lane-refused 16 lane-switch 17 ping 18 pong 19 accuse 20 origin')
  })

  it('announces the length of what follows', () => {
    fc.assert(fc.property(anyMessage, message => {
      const encoded = encodeMessage(message)
      const length = decodeVarint(encoded) as { value: number, end: number }
      expect(length.value).toBe(encoded.byteLength - length.end)
    }))
  })

  it('keeps nothing of the bytes it was lent, even when they are a Buffer', () => {
    fc.assert(fc.property(anyMessage, message => {
      const lent = Buffer.from(withoutLength(encodeMessage(message)))
      const decoded = decodeMessage(lent)
      lent.fill(0xff)
      expect(decoded).toEqual(message)
    }))
  })

  it('skips fields it does not know, wherever they are', () => {
    // beyond any field there is: the highest is 12, of a join
    const unknown = fc.oneof(
      fc.tuple(fc.integer({ min: 64, max: 1_000 }), fc.maxSafeNat()).map(([field, value]) => [...encodeVarint(field * 8), ...encodeVarint(value)]),
      fc.tuple(fc.integer({ min: 64, max: 1_000 }), fc.uint8Array({ maxLength: 20 })).map(([field, bytes]) => [...encodeVarint(field * 8 + 2), ...encodeVarint(bytes.byteLength), ...bytes])
    )
    fc.assert(fc.property(anyMessage, unknown, unknown, (message, before, after) => {
      expect(decodeMessage(Uint8Array.from([...before, ...withoutLength(encodeMessage(message)), ...after]))).toEqual(message)
    }))
  })

  it('tells types it does not know from broken messages', () => {
    for (const type of [TYPES.length + 1, 1_000, Number.MAX_SAFE_INTEGER]) {
      expect(decodeMessage(new FieldWriter().number(1, type).bytes(2, secret).message())).toBeUndefined()
    }
    expect(() => decodeMessage(new FieldWriter().number(2, 1).message())).toThrow(SwarmMessageError)
    expect(() => decodeMessage(new Uint8Array())).toThrow(SwarmMessageError)
  })

  it('throws nothing but its own error for a message cut at any byte', () => {
    fc.assert(fc.property(anyMessage, message => {
      const bytes = withoutLength(encodeMessage(message))
      for (let length = 0; length < bytes.byteLength; length++) decodesOrRefuses(bytes.subarray(0, length))
    }))
  })

  it('throws nothing but its own error for arbitrary bytes', () => {
    fc.assert(fc.property(fc.integer({ min: 0, max: 20 }), fc.uint8Array({ maxLength: 80 }), (type, bytes) => {
      decodesOrRefuses(bytes)
      decodesOrRefuses(Uint8Array.from([8, type, ...bytes]))
    }), { numRuns: 5_000 })
  })

  it('throws nothing but its own error for changed messages, and what it reads of them can be sent', () => {
    fc.assert(fc.property(anyMessage, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 }), (message, changes) => {
      const bytes = withoutLength(encodeMessage(message))
      for (const [at, value] of changes) bytes[at % bytes.byteLength] = value
      const decoded = decodesOrRefuses(bytes)
      if (decoded !== undefined) expect(decodeMessage(withoutLength(encodeMessage(decoded)))).toEqual(decoded)
    }), { numRuns: 3_000 })
  })
})

/** The fields of a message of this type with one of them at its limit, or one past it. */
interface Limit {
  readonly what: string
  readonly type: SwarmMessage['type']
  readonly max: number
  readonly put: (writer: FieldWriter, value: number) => FieldWriter
}

const number = (field: number) => (writer: FieldWriter, value: number) => writer.number(field, value)
const onChannel = (put: Limit['put']): Limit['put'] => (writer, value) => put(writer.number(2, 1), value)
const somePieces = (field: number): Limit['put'] => onChannel((writer, count) => writer.ascending(field, upTo(count)))
const chunk = (put: Limit['put']): Limit['put'] => onChannel((writer, value) => put(writer.number(5, 1), value))
const joining = (put: Limit['put']): Limit['put'] => onChannel((writer, value) => put(writer.number(3, 1).text(4, DIGEST), value))
const member = (put: Limit['put']): Limit['put'] => onChannel((writer, value) => writer.bytes(3, put(new FieldWriter(), value).message()))

const LIMITS: Limit[] = [
  { what: 'characters of a zone', type: 'hello', max: limits.MAX_ZONE_LENGTH, put: (writer, length) => writer.text(2, 'z'.repeat(length)) },
  { what: 'the keep-alive time', type: 'hello', max: limits.MAX_KEEP_ALIVE_MS, put: number(4) },
  { what: 'a channel', type: 'leave', max: limits.MAX_CHANNEL, put: number(2) },
  { what: 'a channel of the receiver', type: 'missing', max: limits.MAX_CHANNEL, put: (writer, value) => writer.number(2, value).number(3, 1) },
  { what: 'the kinds', type: 'join', max: 2, put: onChannel((writer, value) => writer.number(3, value).text(4, DIGEST)) },
  { what: 'characters of a digest', type: 'join', max: DIGEST.length, put: onChannel((writer, length) => writer.number(3, 1).text(4, DIGEST.padEnd(length, '0'))) },
  { what: 'bytes of a bitfield', type: 'join', max: limits.MAX_BITFIELD_LENGTH, put: joining((writer, length) => writer.bytes(8, new Uint8Array(length))) },
  { what: 'pieces taken at a join', type: 'join', max: limits.MAX_LISTED_PIECES, put: joining((writer, count) => writer.ascending(10, upTo(count))) },
  { what: 'reasons of missing', type: 'missing', max: 3, put: onChannel(number(3)) },
  { what: 'pieces had', type: 'have', max: limits.MAX_LISTED_PIECES, put: somePieces(3) },
  { what: 'the index of a piece had', type: 'have', max: limits.MAX_PIECE_INDEX, put: onChannel((writer, value) => writer.ascending(3, [5, value])) },
  { what: 'the queue told with have', type: 'have', max: limits.MAX_QUEUE, put: onChannel(number(4)) },
  { what: 'pieces taken', type: 'take', max: limits.MAX_LISTED_PIECES, put: somePieces(3) },
  { what: 'pieces released', type: 'release', max: limits.MAX_LISTED_PIECES, put: somePieces(3) },
  { what: 'pieces requested', type: 'request', max: limits.MAX_LISTED_PIECES, put: somePieces(3) },
  { what: 'pieces cancelled', type: 'cancel', max: limits.MAX_LISTED_PIECES, put: somePieces(3) },
  { what: 'pieces rejected', type: 'reject', max: limits.MAX_LISTED_PIECES, put: onChannel((writer, count) => writer.ascending(3, upTo(count)).number(4, 1)) },
  { what: 'reasons of reject', type: 'reject', max: 4, put: onChannel((writer, value) => writer.ascending(3, [1]).number(4, value)) },
  { what: 'the queue told with reject', type: 'reject', max: limits.MAX_QUEUE, put: onChannel((writer, value) => writer.ascending(3, [1]).number(4, 1).number(5, value)) },
  { what: 'the index of a piece sent', type: 'piece', max: limits.MAX_PIECE_INDEX, put: chunk(number(3)) },
  { what: 'the offset of a chunk', type: 'piece', max: MAX_PIECE_LENGTH - 1, put: chunk(number(4)) },
  { what: 'the length of a chunk', type: 'piece', max: limits.MAX_CHUNK_LENGTH, put: onChannel(number(5)) },
  { what: 'the queue told with a chunk', type: 'piece', max: limits.MAX_QUEUE, put: chunk(number(6)) },
  { what: 'bytes of an attestation', type: 'attest', max: limits.MAX_ATTESTATION_LENGTH, put: onChannel((writer, length) => writer.bytes(3, new Uint8Array(length))) },
  { what: 'members', type: 'members', max: limits.MAX_LISTED_MEMBERS, put: onChannel((writer, count) => upTo(count).reduce(to => to.bytes(3, new FieldWriter().text(1, PEER).message()), writer)) },
  { what: 'addresses of a member', type: 'members', max: limits.MAX_MEMBER_ADDRESSES, put: member((writer, count) => upTo(count).reduce(to => to.text(2, '/'), writer.text(1, PEER))) },
  { what: 'bytes of an address', type: 'members', max: limits.MAX_ADDRESS_LENGTH, put: member((writer, length) => writer.text(1, PEER).text(2, '/'.repeat(length))) },
  { what: 'characters of a peer id', type: 'members', max: limits.MAX_PEER_LENGTH, put: member((writer, length) => writer.text(1, '1'.repeat(length))) },
  { what: 'the port of a lane', type: 'lane-offer', max: 65_535, put: (writer, value) => writer.number(2, value).bytes(3, secret).bytes(4, secret) },
  { what: 'bytes of a fingerprint', type: 'lane-offer', max: 32, put: (writer, length) => writer.number(2, 1).bytes(3, new Uint8Array(length)).bytes(4, secret) },
  { what: 'bytes of a token', type: 'lane-offer', max: 32, put: (writer, length) => writer.number(2, 1).bytes(3, secret).bytes(4, new Uint8Array(length)) },
  { what: 'pieces of an accusation', type: 'accuse', max: limits.MAX_LISTED_PIECES, put: onChannel((writer, count) => writer.text(3, PEER).ascending(4, upTo(count)).bytes(5, secret)) },
  { what: 'characters of the accused', type: 'accuse', max: limits.MAX_PEER_LENGTH, put: onChannel((writer, length) => writer.text(3, '1'.repeat(length)).ascending(4, [1]).bytes(5, secret)) },
  { what: 'bytes of an accusation', type: 'accuse', max: limits.MAX_ATTESTATION_LENGTH, put: onChannel((writer, length) => writer.text(3, PEER).ascending(4, [1]).bytes(5, new Uint8Array(length))) },
  { what: 'bytes of an accusation and a claim', type: 'accuse', max: limits.MAX_ACCUSATION_LENGTH, put: onChannel((writer, length) => writer.text(3, PEER).ascending(4, [1]).bytes(5, new Uint8Array(length / 2)).bytes(6, new Uint8Array(length - Math.floor(length / 2)))) }
]

describe('the limits of a swarm message', () => {
  it.each(LIMITS)('allow $max for $what ($type), and no more', ({ type, max, put }) => {
    const message = (value: number): Uint8Array => put(new FieldWriter().number(1, TYPES.indexOf(type) + 1), value).message()
    expect(decodeMessage(message(max))).toMatchObject({ type })
    expect(() => decodeMessage(message(max + 1))).toThrow(SwarmMessageError)
  })

  it.each<[string, SwarmMessage['type'], (writer: FieldWriter) => FieldWriter]>([
    ['channel 0', 'leave', writer => writer],
    ['a zone that cannot be printed', 'hello', writer => writer.text(2, 'a\nb')],
    ['a zone beyond ASCII', 'hello', writer => writer.text(2, 'Zürich')],
    ['a join without digest', 'join', writer => writer.number(2, 1).number(3, 1)],
    ['a join without kind', 'join', writer => writer.number(2, 1).text(4, DIGEST)],
    ['a join of a digest in upper case', 'join', writer => writer.number(2, 1).number(3, 1).text(4, DIGEST.toUpperCase())],
    ['a bitfield of a complete blob', 'join', writer => writer.number(2, 1).number(3, 1).text(4, DIGEST).flag(7, true).bytes(8, secret)],
    ['missing without a reason', 'missing', writer => writer.number(2, 1)],
    ['a request for nothing', 'request', writer => writer.number(2, 1)],
    ['a reject of nothing', 'reject', writer => writer.number(2, 1).number(4, 1)],
    ['pieces that come twice', 'have', writer => writer.number(2, 1).bytes(3, Uint8Array.of(4, 0))],
    ['pieces as a number', 'have', writer => writer.number(2, 1).number(3, 4)],
    ['a chunk of nothing', 'piece', writer => writer.number(2, 1)],
    ['a chunk beyond the longest piece', 'piece', writer => writer.number(2, 1).number(4, MAX_PIECE_LENGTH - 9).number(5, 10)],
    ['an empty attestation', 'attest', writer => writer.number(2, 1).bytes(3, new Uint8Array())],
    ['a member without id', 'members', writer => writer.number(2, 1).bytes(3, new FieldWriter().text(2, '/').message())],
    ['a member whose id is none', 'members', writer => writer.number(2, 1).bytes(3, new FieldWriter().text(1, '0OIl').message())],
    ['a member with an address of another form', 'members', writer => writer.number(2, 1).bytes(3, new FieldWriter().text(1, PEER).text(2, 'host:1').message())],
    ['a member as a number', 'members', writer => writer.number(2, 1).number(3, 1)],
    ['a lane without port', 'lane-offer', writer => writer.bytes(3, secret).bytes(4, secret)],
    ['a lane with a short token', 'lane-offer', writer => writer.number(2, 1).bytes(3, secret).bytes(4, secret.subarray(1))],
    ['an accusation of nobody', 'accuse', writer => writer.number(2, 1).ascending(4, [1]).bytes(5, secret)],
    ['an accusation without pieces', 'accuse', writer => writer.number(2, 1).text(3, PEER).bytes(5, secret)],
    ['a claim longer than an attestation', 'accuse', writer => writer.number(2, 1).text(3, PEER).ascending(4, [1]).bytes(5, secret).bytes(6, new Uint8Array(limits.MAX_ATTESTATION_LENGTH + 1))]
  ])('refuse %s', (_, type, put) => {
    expect(() => decodeMessage(put(new FieldWriter().number(1, TYPES.indexOf(type) + 1)).message())).toThrow(SwarmMessageError)
  })

  it('leave room in a message for all of them at once', () => {
    const bitfield = new Uint8Array(limits.MAX_BITFIELD_LENGTH)
    const attestation = new Uint8Array(limits.MAX_ATTESTATION_LENGTH)
    const claim = new Uint8Array(limits.MAX_ACCUSATION_LENGTH - limits.MAX_ATTESTATION_LENGTH)
    const pieces = upTo(limits.MAX_LISTED_PIECES).map(index => index * 256)
    const address = '/'.repeat(limits.MAX_ADDRESS_LENGTH)
    const members = upTo(limits.MAX_LISTED_MEMBERS).map(() => ({ peer: PEER, addresses: upTo(limits.MAX_MEMBER_ADDRESSES).map(() => address), home: true }))
    const largest: SwarmMessage[] = [
      { type: 'join', channel: limits.MAX_CHANNEL, kind: 'blob', digest: DIGEST, size: Number.MAX_SAFE_INTEGER, restricted: true, complete: false, bitfield, leech: true, readsOrigin: true, taking: pieces },
      { type: 'members', of: limits.MAX_CHANNEL, members },
      { type: 'accuse', channel: limits.MAX_CHANNEL, of: PEER, pieces, attestation, claim }
    ]
    for (const message of largest) expect(decodeMessage(withoutLength(encodeMessage(message)))).toEqual(message)
  })

  it('keep us from sending lists that nobody may read', () => {
    expect(() => encodeMessage({ type: 'have', channel: 1, pieces: upTo(limits.MAX_LISTED_PIECES + 1), queue: 0 })).toThrow(RangeError)
    expect(() => encodeMessage({ type: 'have', channel: 1, pieces: [2, 1], queue: 0 })).toThrow(RangeError)
    expect(() => encodeMessage({ type: 'request', channel: 1, pieces: [] })).toThrow(RangeError)
    expect(() => encodeMessage({ type: 'members', of: 1, members: upTo(limits.MAX_LISTED_MEMBERS + 1).map(() => ({ peer: PEER, addresses: [] })) })).toThrow(RangeError)
    expect(() => encodeMessage({ type: 'attest', channel: 1, attestation: new Uint8Array(limits.MAX_SWARM_MESSAGE_LENGTH) })).toThrow(RangeError)
  })
})

function upTo (count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}

function withoutLength (encoded: Uint8Array): Uint8Array {
  return encoded.subarray((decodeVarint(encoded) as { end: number }).end)
}

function decodesOrRefuses (bytes: Uint8Array): SwarmMessage | undefined {
  try {
    return decodeMessage(bytes)
  } catch (error) {
    expect(error).toBeInstanceOf(SwarmMessageError)
    return undefined
  }
}
