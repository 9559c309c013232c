/*
 * What a message of the swarm protocol may hold at the most. All of it is checked when a message is read, before anything
 * is allocated for it; whoever sends more breaks the protocol.
 */

/** Bytes of a message without its length. */
export const MAX_SWARM_MESSAGE_LENGTH = 64 * 1024
/** Bytes behind one `piece` message. */
export const MAX_CHUNK_LENGTH = 256 * 1024
export const MAX_CHANNEL = 2 ** 31 - 1
/** Numbers in one list of pieces. */
export const MAX_LISTED_PIECES = 4096
/** Highest index of a piece. */
export const MAX_PIECE_INDEX = 2 ** 20
/** Bytes: enough for 131072 pieces. */
export const MAX_BITFIELD_LENGTH = 16 * 1024
/** Requests that come before another, as `queue` may tell them. */
export const MAX_QUEUE = 2 ** 31 - 1
/** Characters, all of them printable ASCII. */
export const MAX_ZONE_LENGTH = 64
export const MAX_KEEP_ALIVE_MS = 24 * 60 * 60 * 1000
/** Members in one message. */
export const MAX_LISTED_MEMBERS = 64
export const MAX_MEMBER_ADDRESSES = 4
/** Bytes of one address. 64 members with four each of this length still fit into a message. */
export const MAX_ADDRESS_LENGTH = 232
/** Characters of a peer id; one of Ed25519 has 52. */
export const MAX_PEER_LENGTH = 64
/** Pieces of one attestation. */
export const MAX_ATTESTED_PIECES = 1024
/** Bytes of an attestation; one of 1024 pieces has at most 36 KiB. */
export const MAX_ATTESTATION_LENGTH = 40 * 1024
/** Bytes of the attestations of an accusation together; each has the limit of one besides. */
export const MAX_ACCUSATION_LENGTH = 48 * 1024
/** Bytes of the fingerprint of a lane, and of its token. */
export const LANE_SECRET_LENGTH = 32
/** Channels of one side open at a time on one link. */
export const MAX_OPEN_CHANNELS = 1024
