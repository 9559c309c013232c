import { isDigest, type Digest } from '../oci/digest.ts'
import { MAX_PIECE_LENGTH } from '../swarm/pieces.ts'
import {
  LANE_SECRET_LENGTH, MAX_ACCUSATION_LENGTH, MAX_ADDRESS_LENGTH, MAX_ATTESTATION_LENGTH, MAX_BITFIELD_LENGTH, MAX_CHANNEL, MAX_CHUNK_LENGTH,
  MAX_KEEP_ALIVE_MS, MAX_LISTED_MEMBERS, MAX_LISTED_PIECES, MAX_MEMBER_ADDRESSES, MAX_PEER_LENGTH, MAX_PIECE_INDEX, MAX_QUEUE, MAX_ZONE_LENGTH
} from './swarm-limits.ts'
import {
  KINDS, REFUSALS, SwarmMessageError, TYPES,
  type AccuseMessage, type HelloMessage, type JoinMessage, type LaneOfferMessage, type ListedMember, type MissingReason, type PieceMessage,
  type RejectReason, type SwarmMessage
} from './swarm-message.ts'
import { FieldReader } from './wire-fields.ts'

/*
 * Fields of a message (wire-fields.ts); 1 is the type, `pieces` and `taking` are ascending lists.
 *
 *    1 hello         2 zone     3 leech        4 keepAliveMs
 *    2 join          2 channel  3 kind (1 blob, 2 manifest)  4 digest, text  5 size  6 restricted  7 complete  8 bitfield
 *                    9 leech    10 taking  11 readsOrigin  12 waits   13 of
 *    3 missing       2 of       3 reason (1 missing, 2 denied, 3 busy)
 *    4 leave         2 channel
 *    5 have          2 channel  3 pieces       4 queue
 *    6 take  7 release  8 request  9 cancel    2 channel  3 pieces
 *   10 reject        2 channel  3 pieces       4 reason (1 missing, 2 denied, 3 busy, 4 cancelled)  5 queue
 *   11 piece         2 channel  3 piece        4 offset   5 length  6 queue
 *   12 attest        2 channel  3 attestation
 *   13 members       2 of       3 *member      member: 1 peer, text  2 *address, text  3 home
 *   14 lane-offer    2 port     3 fingerprint  4 token
 *   15 lane-refused  16 lane-switch
 *   17 ping  18 pong                           2 nonce
 *   19 accuse        2 channel  3 of, text     4 pieces   5 attestation  6 claim
 *   20 origin        2 channel  3 reads  4 restricted
 */

const MAX_DIGEST_LENGTH = 135
const MAX_PORT = 65_535
const PRINTABLE = /^[ -~]*$/
const BASE58 = /^[1-9A-HJ-NP-Za-km-z]+$/

const invalid = (reason: string): SwarmMessageError => new SwarmMessageError(reason)
const fields = new FieldReader(invalid)
const memberFields = new FieldReader(invalid)

/**
 * A message without its length: the bytes from `start` to `end`. What it returns keeps none of them.
 * @returns undefined for a type this version does not know: to be skipped
 * @throws SwarmMessageError
 */
export function decodeMessage (bytes: Uint8Array, start = 0, end = bytes.byteLength): SwarmMessage | undefined {
  fields.read(bytes, start, end)
  const number = fields.number(1)
  if (number === 0) throw invalid('no type')
  const type = TYPES[number - 1]
  switch (type) {
    case 'piece':
      return decodePiece()
    case 'have':
      return { type, channel: channel(), pieces: pieces(3), queue: atMost(4, MAX_QUEUE) }
    case 'take':
    case 'release':
    case 'request':
    case 'cancel':
      return { type, channel: channel(), pieces: somePieces(3) }
    case 'reject':
      return { type, channel: channel(), pieces: somePieces(3), reason: refusal(4), queue: atMost(5, MAX_QUEUE) }
    case 'hello':
      return decodeHello()
    case 'join':
      return decodeJoin()
    case 'missing':
      return { type, of: channel(), reason: missingReason(3) }
    case 'leave':
      return { type, channel: channel() }
    case 'attest':
      return { type, channel: channel(), attestation: attestation(3) }
    case 'members':
      return { type, of: channel(), members: fields.all(3, MAX_LISTED_MEMBERS).map(decodeMember) }
    case 'lane-offer':
      return decodeLaneOffer()
    case 'lane-refused':
    case 'lane-switch':
      return { type }
    case 'ping':
    case 'pong':
      return { type, nonce: fields.number(2) }
    case 'accuse':
      return decodeAccusation()
    case 'origin':
      return { type, channel: channel(), reads: fields.flag(3), restricted: fields.flag(4) }
    case undefined:
      return undefined
    default:
      return type satisfies never
  }
}

function decodePiece (): PieceMessage {
  const length = atMost(5, MAX_CHUNK_LENGTH)
  const offset = fields.number(4)
  if (length === 0) throw invalid('a chunk of nothing')
  if (offset + length > MAX_PIECE_LENGTH) throw invalid(`a chunk up to ${offset + length}, no piece is longer than ${MAX_PIECE_LENGTH}`)
  return { type: 'piece', channel: channel(), piece: atMost(3, MAX_PIECE_INDEX), offset, length, queue: atMost(6, MAX_QUEUE) }
}

function decodeHello (): HelloMessage {
  const zone = fields.bytes(2).byteLength === 0 ? undefined : printable(2, MAX_ZONE_LENGTH)
  const keepAliveMs = atMost(4, MAX_KEEP_ALIVE_MS)
  return { type: 'hello', zone, leech: fields.flag(3), keepAliveMs: keepAliveMs === 0 ? undefined : keepAliveMs }
}

function decodeJoin (): JoinMessage {
  const kind = KINDS[fields.number(3) - 1]
  if (kind === undefined) throw invalid(`unknown kind ${fields.number(3)}`)
  const complete = fields.flag(7)
  const bitfield = copy(8, 0, MAX_BITFIELD_LENGTH)
  const taking = pieces(10)
  const of = atMost(13, MAX_CHANNEL)
  if (complete && bitfield.byteLength > 0) throw invalid('a bitfield of a complete blob')
  return {
    type: 'join',
    channel: channel(),
    kind,
    digest: digest(4),
    size: fields.number(5),
    restricted: fields.flag(6),
    complete,
    bitfield: bitfield.byteLength === 0 ? undefined : bitfield,
    leech: fields.flag(9),
    readsOrigin: fields.flag(11),
    taking: taking.length === 0 ? undefined : taking,
    waits: fields.flag(12) ? true : undefined,
    of: of === 0 ? undefined : of
  }
}

function decodeMember (bytes: Uint8Array): ListedMember {
  memberFields.read(bytes)
  const addresses = memberFields.all(2, MAX_MEMBER_ADDRESSES).map(address)
  return { peer: peer(memberFields.text(1)), addresses, home: memberFields.flag(3) ? true : undefined }
}

function decodeLaneOffer (): LaneOfferMessage {
  const port = atMost(2, MAX_PORT)
  if (port === 0) throw invalid('a lane without port')
  return { type: 'lane-offer', port, fingerprint: copy(3, LANE_SECRET_LENGTH, LANE_SECRET_LENGTH), token: copy(4, LANE_SECRET_LENGTH, LANE_SECRET_LENGTH) }
}

function decodeAccusation (): AccuseMessage {
  const claimLength = fields.bytes(6).byteLength
  const length = fields.bytes(5).byteLength + claimLength
  if (length > MAX_ACCUSATION_LENGTH) throw invalid(`attestations of ${length} bytes, allowed are ${MAX_ACCUSATION_LENGTH}`)
  return {
    type: 'accuse',
    channel: channel(),
    of: peer(fields.text(3)),
    pieces: somePieces(4),
    attestation: attestation(5),
    claim: claimLength === 0 ? undefined : attestation(6)
  }
}

function atMost (field: number, max: number): number {
  const value = fields.number(field)
  if (value > max) throw invalid(`field ${field} is ${value}, allowed are up to ${max}`)
  return value
}

function channel (): number {
  const value = atMost(2, MAX_CHANNEL)
  if (value === 0) throw invalid('channel 0')
  return value
}

function pieces (field: number): number[] {
  return fields.ascending(field, MAX_LISTED_PIECES, MAX_PIECE_INDEX)
}

function somePieces (field: number): number[] {
  const list = pieces(field)
  if (list.length === 0) throw invalid('no pieces')
  return list
}

function refusal (field: number): RejectReason {
  const reason = REFUSALS[fields.number(field) - 1]
  if (reason === undefined) throw invalid(`unknown reason ${fields.number(field)}`)
  return reason
}

function missingReason (field: number): MissingReason {
  const reason = refusal(field)
  if (reason === 'cancelled') throw invalid('a join is not cancelled')
  return reason
}

function digest (field: number): Digest {
  const text = fields.bytes(field).byteLength > MAX_DIGEST_LENGTH ? '' : fields.text(field)
  if (!isDigest(text)) throw invalid('no valid digest')
  return text
}

function attestation (field: number): Uint8Array {
  return copy(field, 1, MAX_ATTESTATION_LENGTH)
}

/** The given bytes are lent, so what goes into a message is copied: not by `slice`, which makes but a view of a Buffer. */
function copy (field: number, min: number, max: number): Uint8Array {
  const bytes = fields.bytes(field)
  if (bytes.byteLength < min || bytes.byteLength > max) throw invalid(`field ${field} of ${bytes.byteLength} bytes, allowed are ${min} to ${max}`)
  return new Uint8Array(bytes)
}

function printable (field: number, max: number): string {
  const text = fields.text(field)
  if (text.length > max || !PRINTABLE.test(text)) throw invalid(`field ${field} has ${text.length} characters, allowed are ${max} of printable ASCII`)
  return text
}

function peer (text: string): string {
  if (text.length > MAX_PEER_LENGTH || !BASE58.test(text)) throw invalid(`no peer id: ${text.length} characters`)
  return text
}

function address (bytes: Uint8Array): string {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  if (text.length > MAX_ADDRESS_LENGTH || !text.startsWith('/') || !PRINTABLE.test(text)) throw invalid(`no address: ${text.length} characters`)
  return text
}
