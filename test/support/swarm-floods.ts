import { createHash } from 'node:crypto'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import { signAttestation } from '../../src/net/swarm-attestation.ts'
import { MAX_BITFIELD_LENGTH } from '../../src/net/swarm-limits.ts'
import type { SwarmMessage } from '../../src/net/swarm-message.ts'
import { digestOf, type Digest } from '../../src/oci/digest.ts'
import { MAX_PIECE_LENGTH, pieceCount } from '../../src/swarm/pieces.ts'
import type { BadSwarmBehaviour } from './swarm-conduct.ts'

/** Where a flood goes. */
export interface FloodTarget {
  /** Of the sender. */
  readonly channel: number
  /** Of the one who is flooded. */
  readonly theirs: number
  readonly digest: Digest
  readonly size: number
  /** Which message of the flood it is. */
  readonly index: number
}

/** Channels are far from those in use, and never more than may be open. */
const CHANNELS = 1000
const FIRST_CHANNEL = 100_000
const MEMBERS = 16
const key = await generateKeyPair('Ed25519')
const id = peerIdFromPrivateKey(key).toString()

/** What is said without end, by behaviour: messages that are well formed. */
export const floods: { readonly [Behaviour in BadSwarmBehaviour]?: (target: FloodTarget) => readonly SwarmMessage[] } = {
  'floods with requests': ({ channel, size }) => [{ type: 'request', channel, pieces: Array.from({ length: pieceCount(size) }, (_, piece) => piece) }],
  'floods with pings': ({ index }) => [{ type: 'ping', nonce: index }],
  // the largest blob that there can be, and all of it said to be held
  'floods with joins': ({ index }) => {
    const channel = FIRST_CHANNEL + index % CHANNELS
    const size = 8 * MAX_BITFIELD_LENGTH * MAX_PIECE_LENGTH
    const join: SwarmMessage = { type: 'join', channel, kind: 'blob', digest: digestOf(Buffer.from(`made up ${index}`)), size, restricted: false, complete: false, bitfield: new Uint8Array(MAX_BITFIELD_LENGTH).fill(0xff), leech: false, readsOrigin: false }
    return index < CHANNELS ? [join] : [{ type: 'leave', channel }, join]
  },
  'floods with members': ({ theirs, index }) => [{
    type: 'members',
    of: theirs,
    members: Array.from({ length: MEMBERS }, (_, member) => ({ peer: nobody(index * MEMBERS + member), addresses: [`/ip4/127.0.0.1/tcp/${1 + (index * MEMBERS + member) % 1000}`] }))
  }],
  'floods with attestations': ({ channel, digest, size, index }) => {
    const hashes = Array.from({ length: Math.min(1024, pieceCount(size)) }, (_, piece) => ({ piece, sha256: createHash('sha256').update(`${index} ${piece}`).digest() }))
    return [{ type: 'attest', channel, attestation: signAttestation(key, { digest, size, hashes }).bytes }]
  }
}

/** A peer id that nobody has. */
function nobody (index: number): string {
  return id.slice(0, -6) + index.toString(36).padStart(6, 'a').replace(/[0lIO]/g, 'z')
}
