import { MAX_LISTED_MEMBERS, MAX_LISTED_PIECES, MAX_SWARM_MESSAGE_LENGTH } from './swarm-limits.ts'
import { KINDS, REFUSALS, TYPES, type ListedMember, type SwarmMessage } from './swarm-message.ts'
import { FieldWriter } from './wire-fields.ts'

const writer = new FieldWriter()
const memberWriter = new FieldWriter()

/**
 * A message with its length in front; the body of a `piece` is the sender's to put behind it. Field numbers: see
 * swarm-decode.ts. Keeping to the limits of swarm-message.ts is the caller's part; only lists are checked, since they grow.
 * @throws RangeError when a list does not ascend, is too long, or is empty where it may not be
 */
export function encodeMessage (message: SwarmMessage): Uint8Array {
  writer.clear().number(1, TYPES.indexOf(message.type) + 1)
  switch (message.type) {
    case 'hello':
      if (message.zone !== undefined) writer.text(2, message.zone)
      writer.flag(3, message.leech).number(4, message.keepAliveMs ?? 0)
      break
    case 'join':
      writer.number(2, message.channel)
        .number(3, KINDS.indexOf(message.kind) + 1)
        .text(4, message.digest)
        .number(5, message.size)
        .flag(6, message.restricted)
        .flag(7, message.complete)
      if (message.bitfield !== undefined) writer.bytes(8, message.bitfield)
      writer.flag(9, message.leech)
      if (message.taking !== undefined) putPieces(10, message.taking)
      writer.flag(11, message.readsOrigin).flag(12, message.waits ?? false).number(13, message.of ?? 0)
      break
    case 'missing':
      writer.number(2, message.of).number(3, REFUSALS.indexOf(message.reason) + 1)
      break
    case 'leave':
      writer.number(2, message.channel)
      break
    case 'have':
      writer.number(2, message.channel)
      putPieces(3, message.pieces)
      writer.number(4, message.queue)
      break
    case 'take':
    case 'release':
    case 'request':
    case 'cancel':
      writer.number(2, message.channel)
      putSomePieces(3, message.pieces)
      break
    case 'reject':
      writer.number(2, message.channel)
      putSomePieces(3, message.pieces)
      writer.number(4, REFUSALS.indexOf(message.reason) + 1).number(5, message.queue)
      break
    case 'piece':
      writer.number(2, message.channel)
        .number(3, message.piece)
        .number(4, message.offset)
        .number(5, message.length)
        .number(6, message.queue)
      break
    case 'attest':
      writer.number(2, message.channel).bytes(3, message.attestation)
      break
    case 'members':
      writer.number(2, message.of)
      putMembers(3, message.members)
      break
    case 'lane-offer':
      writer.number(2, message.port).bytes(3, message.fingerprint).bytes(4, message.token)
      break
    case 'lane-refused':
    case 'lane-switch':
      break
    case 'ping':
    case 'pong':
      writer.number(2, message.nonce)
      break
    case 'accuse':
      writer.number(2, message.channel).text(3, message.of)
      putSomePieces(4, message.pieces)
      writer.bytes(5, message.attestation)
      if (message.claim !== undefined) writer.bytes(6, message.claim)
      break
    case 'origin':
      writer.number(2, message.channel).flag(3, message.reads).flag(4, message.restricted)
      break
    default:
      message satisfies never
  }
  if (writer.length > MAX_SWARM_MESSAGE_LENGTH) throw new RangeError(`a message of ${writer.length} bytes, allowed are ${MAX_SWARM_MESSAGE_LENGTH}`)
  return writer.framed()
}

function putPieces (field: number, pieces: readonly number[]): void {
  if (pieces.length > MAX_LISTED_PIECES) throw new RangeError(`a list of ${pieces.length} pieces, allowed are ${MAX_LISTED_PIECES}`)
  if (pieces.length > 0) writer.ascending(field, pieces)
}

function putSomePieces (field: number, pieces: readonly number[]): void {
  if (pieces.length === 0) throw new RangeError('a list of no pieces')
  putPieces(field, pieces)
}

function putMembers (field: number, members: readonly ListedMember[]): void {
  if (members.length > MAX_LISTED_MEMBERS) throw new RangeError(`a list of ${members.length} members, allowed are ${MAX_LISTED_MEMBERS}`)
  for (const { peer, addresses, home } of members) {
    memberWriter.clear().text(1, peer)
    for (const address of addresses) memberWriter.text(2, address)
    memberWriter.flag(3, home ?? false)
    writer.bytes(field, memberWriter.message())
  }
}
