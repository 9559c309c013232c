import { ShoalError } from '../errors.ts'
import type { Digest } from '../oci/digest.ts'
import type { ContentKind } from './peers.ts'

/** Protocol id; a change that an older agent cannot skip over gets another number. */
export const SWARM_PROTOCOL = '/shoal/swarm/1'

/** In the order of their numbers on the wire, from 1. */
export const TYPES = [
  'hello', 'join', 'missing', 'leave', 'have', 'take', 'release', 'request', 'cancel', 'reject', 'piece', 'attest', 'members',
  'lane-offer', 'lane-refused', 'lane-switch', 'ping', 'pong', 'accuse', 'origin'
] as const satisfies ReadonlyArray<SwarmMessage['type']>
/** In the order of their numbers on the wire, from 1. */
export const KINDS: readonly ContentKind[] = ['blob', 'manifest']
/** Why a join or a request is not met. In the order of their numbers on the wire, from 1. */
export const REFUSALS = ['missing', 'denied', 'busy', 'cancelled'] as const
export type RejectReason = (typeof REFUSALS)[number]
export type MissingReason = Exclude<RejectReason, 'cancelled'>

/** First of each side, and once. */
export interface HelloMessage {
  readonly type: 'hello'
  /** Where the sender says it is. */
  readonly zone?: string
  /** The sender gives nothing, of whatever blob. */
  readonly leech: boolean
  /** The sender pings when nothing was sent for so long. */
  readonly keepAliveMs?: number
}

/** The sender takes part in the session of a blob; all else it says about it bears this channel. */
export interface JoinMessage {
  readonly type: 'join'
  /** Chosen by the sender, unique among its open ones on this link. */
  readonly channel: number
  readonly kind: ContentKind
  readonly digest: Digest
  /** Bytes of the blob; 0 when the sender does not know. */
  readonly size: number
  /** The sender got it with credentials: whoever takes it must treat it so too. */
  readonly restricted: boolean
  /** The sender holds the whole, verified; then there is no bitfield. */
  readonly complete: boolean
  /** The pieces held, most significant bit first; none when absent. */
  readonly bitfield?: Uint8Array
  readonly leech: boolean
  /** The sender reads from the origin what it owns. */
  readonly readsOrigin: boolean
  /** The pieces the sender reads from the origin now. */
  readonly taking?: readonly number[]
  /** The size is not known: the sender wants to hear when the receiver holds the whole, until it leaves. */
  readonly waits?: boolean
  /** This only answers a question: the receiver's channel. Its sender does not take part, and leaves. */
  readonly of?: number
}

/** The answer to a join for what the sender of this neither holds nor wants, or does not give. */
export interface MissingMessage {
  readonly type: 'missing'
  /** The receiver's channel. */
  readonly of: number
  readonly reason: MissingReason
}

/** The channel ends. */
export interface LeaveMessage {
  readonly type: 'leave'
  readonly channel: number
}

/** Pieces held since what was last said; none when only the queue has changed. */
export interface HaveMessage {
  readonly type: 'have'
  readonly channel: number
  readonly pieces: readonly number[]
  /** Requests that wait at the sender. */
  readonly queue: number
}

/** `take`: the sender reads these from the origin now. `release`: it no longer does. `request`, `cancel`: as they say. */
export interface PiecesMessage {
  readonly type: 'take' | 'release' | 'request' | 'cancel'
  readonly channel: number
  /** At least one. */
  readonly pieces: readonly number[]
}

/** These requests will not be met. */
export interface RejectMessage {
  readonly type: 'reject'
  readonly channel: number
  /** At least one. */
  readonly pieces: readonly number[]
  readonly reason: RejectReason
  readonly queue: number
}

/** A chunk of a piece: `length` bytes follow. */
export interface PieceMessage {
  readonly type: 'piece'
  readonly channel: number
  readonly piece: number
  /** Where in the piece the chunk begins. */
  readonly offset: number
  readonly length: number
  readonly queue: number
}

/** See swarm-attestation.ts. Comes before the first chunk of a piece that it covers. */
export interface AttestMessage {
  readonly type: 'attest'
  readonly channel: number
  readonly attestation: Uint8Array
}

export interface ListedMember {
  /** Peer id in text form; only its alphabet is checked. */
  readonly peer: string
  /** Multiaddresses as text; only that they are printable and begin with a slash is checked. */
  readonly addresses: readonly string[]
  /** It says that it is in the receiver's zone. */
  readonly home?: boolean | undefined
}

/** Others that take part. */
export interface MembersMessage {
  readonly type: 'members'
  /** The receiver's channel. */
  readonly of: number
  readonly members: readonly ListedMember[]
}

/** The sender waits for a direct lane there. */
export interface LaneOfferMessage {
  readonly type: 'lane-offer'
  readonly port: number
  /** sha256 of the certificate. */
  readonly fingerprint: Uint8Array
  readonly token: Uint8Array
}

/** `lane-refused`: the offer could not be used. `lane-switch`: the sender's last frame here, all later ones come over the direct lane. */
export interface LaneMessage {
  readonly type: 'lane-refused' | 'lane-switch'
}

/** `pong` answers `ping` with its nonce. */
export interface PingMessage {
  readonly type: 'ping' | 'pong'
  readonly nonce: number
}

/** Another has attested wrong hashes: the attestation, of somebody who has read the pieces from the origin or has the whole, says which are right. */
export interface AccuseMessage {
  readonly type: 'accuse'
  readonly channel: number
  /** Peer id of the accused. */
  readonly of: string
  /** At least one. */
  readonly pieces: readonly number[]
  readonly attestation: Uint8Array
  /** What the accused has signed of these pieces. */
  readonly claim?: Uint8Array
}

/** What the origin says or said has changed what the sender's join told. */
export interface OriginMessage {
  readonly type: 'origin'
  readonly channel: number
  /** It goes on reading from the origin what it owns. */
  readonly reads: boolean
  /** The origin gives the blob only with credentials. */
  readonly restricted: boolean
}

export type SwarmMessage =
  | HelloMessage | JoinMessage | MissingMessage | LeaveMessage | HaveMessage | PiecesMessage | RejectMessage | PieceMessage
  | AttestMessage | MembersMessage | LaneOfferMessage | LaneMessage | PingMessage | AccuseMessage | OriginMessage

/** The bytes are no message of the swarm protocol, or one that may not come now. */
export class SwarmMessageError extends ShoalError {
  override readonly code = 'SWARM_MESSAGE_INVALID'
  override readonly blamesPeer = true

  constructor (reason: string) {
    super(`invalid swarm protocol message: ${reason}`)
  }
}
