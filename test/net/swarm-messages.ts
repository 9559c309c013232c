import fc from 'fast-check'
import * as limits from '../../src/net/swarm-limits.ts'
import { KINDS, REFUSALS, type SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { MAX_PIECE_LENGTH } from '../../src/swarm/pieces.ts'

const channel = fc.integer({ min: 1, max: limits.MAX_CHANNEL })
const queue = fc.integer({ min: 0, max: limits.MAX_QUEUE })
const digest: fc.Arbitrary<Digest> = fc.tuple(fc.uint8Array(), fc.constantFrom('sha256', 'sha512')).map(([bytes, algorithm]) => digestOf(bytes, algorithm))
const somePieces = fc.uniqueArray(fc.integer({ min: 0, max: limits.MAX_PIECE_INDEX }), { minLength: 1, maxLength: 30 }).map(list => list.sort((a, b) => a - b))
const peer = fc.stringMatching(/^[1-9A-HJ-NP-Za-km-z]{1,64}$/)
const address = fc.stringMatching(/^\/[ -~]{0,40}$/)
const secret = fc.uint8Array({ minLength: limits.LANE_SECRET_LENGTH, maxLength: limits.LANE_SECRET_LENGTH })
const attestation = fc.uint8Array({ minLength: 1, maxLength: 200 })
const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined })

const join = fc.record({ channel, digest, kind: fc.constantFrom(...KINDS), size: fc.maxSafeNat(), restricted: fc.boolean(), leech: fc.boolean(), readsOrigin: fc.boolean(), taking: maybe(somePieces), waits: maybe(fc.constant(true)), of: maybe(channel) })

/** Any message that may be sent, one generator for each type. */
export const messages: { readonly [Type in SwarmMessage['type']]: fc.Arbitrary<SwarmMessage> } = {
  hello: fc.record({ type: fc.constant('hello'), zone: maybe(fc.stringMatching(/^[ -~]{1,64}$/)), leech: fc.boolean(), keepAliveMs: maybe(fc.integer({ min: 1, max: limits.MAX_KEEP_ALIVE_MS })) }),
  join: fc.tuple(join, maybe(fc.uint8Array({ minLength: 1, maxLength: 100 }))).map(([facts, bitfield]) => ({ type: 'join', ...facts, complete: bitfield === undefined && facts.size % 2 === 0, bitfield })),
  missing: fc.record({ type: fc.constant('missing'), of: channel, reason: fc.constantFrom('missing', 'denied', 'busy') }),
  leave: fc.record({ type: fc.constant('leave'), channel }),
  have: fc.record({ type: fc.constant('have'), channel, pieces: fc.oneof(fc.constant([]), somePieces), queue }),
  take: fc.record({ type: fc.constant('take'), channel, pieces: somePieces }),
  release: fc.record({ type: fc.constant('release'), channel, pieces: somePieces }),
  request: fc.record({ type: fc.constant('request'), channel, pieces: somePieces }),
  cancel: fc.record({ type: fc.constant('cancel'), channel, pieces: somePieces }),
  reject: fc.record({ type: fc.constant('reject'), channel, pieces: somePieces, reason: fc.constantFrom(...REFUSALS), queue }),
  piece: fc.record({ type: fc.constant('piece'), channel, piece: fc.integer({ min: 0, max: limits.MAX_PIECE_INDEX }), offset: fc.integer({ min: 0, max: MAX_PIECE_LENGTH - 300 }), length: fc.integer({ min: 1, max: 300 }), queue }),
  attest: fc.record({ type: fc.constant('attest'), channel, attestation }),
  members: fc.record({ type: fc.constant('members'), of: channel, members: fc.array(fc.record({ peer, addresses: fc.array(address, { maxLength: limits.MAX_MEMBER_ADDRESSES }), home: maybe(fc.constant(true)) }), { maxLength: 5 }) }),
  'lane-offer': fc.record({ type: fc.constant('lane-offer'), port: fc.integer({ min: 1, max: 65_535 }), fingerprint: secret, token: secret }),
  'lane-refused': fc.constant({ type: 'lane-refused' }),
  'lane-switch': fc.constant({ type: 'lane-switch' }),
  ping: fc.record({ type: fc.constant('ping'), nonce: fc.maxSafeNat() }),
  pong: fc.record({ type: fc.constant('pong'), nonce: fc.maxSafeNat() }),
  origin: fc.record({ type: fc.constant('origin'), channel, reads: fc.boolean(), restricted: fc.boolean() }),
  accuse: fc.record({ type: fc.constant('accuse'), channel, of: peer, pieces: somePieces, attestation, claim: fc.option(attestation, { nil: undefined }) })
}

export const anyMessage: fc.Arbitrary<SwarmMessage> = fc.oneof(...Object.values(messages))
