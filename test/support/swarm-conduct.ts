import { createHash } from 'node:crypto'
import type { Ed25519PrivateKey } from '@libp2p/interface'
import { signAttestation } from '../../src/net/swarm-attestation.ts'
import { MAX_ATTESTED_PIECES } from '../../src/net/swarm-limits.ts'
import type { JoinMessage } from '../../src/net/swarm-message.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { Bitfield } from '../../src/swarm/bitfield.ts'
import { pieceCount, pieceSpan } from '../../src/swarm/pieces.ts'

/** How a peer of the swarm misbehaves; `honest` for comparison. Each does all else as it should. */
export const badSwarmBehaviours = [
  'honest', 'flips a byte', 'signs wrong hashes', 'is silent', 'sends a chunk a second', 'dies within a piece', 'ends the stream within a piece',
  'sends pieces unasked', 'sends a huge length', 'sends garbage', 'forges a signature', 'attests another blob', 'attests nothing', 'sends chunks out of order',
  'claims too many pieces', 'claims another size', 'is busy', 'denies', 'joins thousands of blobs', 'joins and leaves thousands of blobs', 'floods with haves',
  'promises and gives nothing', 'floods with requests', 'floods with joins', 'floods with members', 'floods with attestations', 'floods with pings',
  'sends pieces at once', 'opens two channels', 'claims spare pieces'
] as const

export type BadSwarmBehaviour = typeof badSwarmBehaviours[number]

/** Share of its pieces that one who lies as a reader of the origin claims to have. */
const OWNED_EVERY = 8

/** Bytes as the peer sends them, which are those that it signs. */
export function bytesSent (behaviour: BadSwarmBehaviour, content: Uint8Array): Uint8Array {
  return behaviour === 'signs wrong hashes' ? spoiled(content) : content
}

/** A copy with a wrong byte in the middle of each piece. */
function spoiled (bytes: Uint8Array): Uint8Array {
  const wrong = Uint8Array.from(bytes)
  for (let piece = 0; piece < pieceCount(bytes.length); piece++) {
    const { start, end } = pieceSpan(bytes.length, piece)
    const middle = Math.floor((start + end) / 2)
    wrong[middle] = (wrong[middle] ?? 0) ^ 1
  }
  return wrong
}

/** What it says of itself when it takes part. */
export function joinOf (behaviour: BadSwarmBehaviour, digest: Digest, size: number, { channel, isOwner }: { channel: number, isOwner: boolean }): JoinMessage {
  const pieces = pieceCount(size)
  const join: JoinMessage = { type: 'join', channel, kind: 'blob', digest, size, restricted: false, complete: true, leech: false, readsOrigin: false }
  if (behaviour === 'claims another size') return { ...join, size: size + 1 }
  if (behaviour === 'claims too many pieces') return { ...join, complete: false, bitfield: new Uint8Array(Math.ceil(pieces / 8) + 1).fill(0xff) }
  if (behaviour === 'claims spare pieces') return { ...join, complete: false, bitfield: new Uint8Array(Math.ceil(pieces / 8)).fill(0xff) }
  if (behaviour === 'promises and gives nothing') {
    return { ...join, complete: false, bitfield: fieldOf(pieces, piece => piece % 2 === 0), readsOrigin: true, taking: Array.from({ length: Math.floor(pieces / 2) }, (_, index) => 2 * index + 1) }
  }
  if (isOwner) return { ...join, complete: false, bitfield: fieldOf(pieces, piece => piece % OWNED_EVERY === 0), readsOrigin: true }
  return join
}

function fieldOf (pieces: number, holds: (piece: number) => boolean): Uint8Array {
  const field = new Bitfield(pieces)
  for (let piece = 0; piece < pieces; piece++) if (holds(piece)) field.add(piece)
  return field.toBytes()
}

/** Its signed lists of the hashes of all pieces. */
export function attestationsOf (behaviour: BadSwarmBehaviour, digest: Digest, bytes: Uint8Array, key: Ed25519PrivateKey): Uint8Array[] {
  if (behaviour === 'attests nothing' || behaviour === 'promises and gives nothing') return []
  const size = bytes.length
  const hashes = Array.from({ length: pieceCount(size) }, (_, piece) => {
    const { start, end } = pieceSpan(size, piece)
    return { piece, sha256: createHash('sha256').update(bytes.subarray(start, end)).digest() }
  })
  const lists: Uint8Array[] = []
  for (let at = 0; at < hashes.length; at += MAX_ATTESTED_PIECES) {
    const about = behaviour === 'attests another blob' ? digestOf(Buffer.from(digest)) : digest
    const attestation = Uint8Array.from(signAttestation(key, { digest: about, size, hashes: hashes.slice(at, at + MAX_ATTESTED_PIECES) }).bytes)
    // The signature is at its end.
    if (behaviour === 'forges a signature') attestation[attestation.length - 1] = (attestation.at(-1) ?? 0) ^ 1
    lists.push(attestation)
  }
  return lists
}
