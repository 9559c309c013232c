import type { Digest } from '../oci/digest.ts'

/** The kinds a peer can be asked for; a manifest asked for as a blob is missing, and the other way round. */
export type ContentKind = 'blob' | 'manifest'

export interface Holding {
  /** Peer id in text form. */
  readonly peer: string
  /** Bytes of the whole blob, as the peer says. */
  readonly size: number
  /** The peer got it with credentials: whoever takes it must treat it as restricted too. */
  readonly restricted: boolean
}

export interface ContentRead extends Holding {
  /** Bytes from the `start` asked for to the end of the blob; exactly `size - start` of them, or it throws. */
  readonly body: AsyncIterable<Uint8Array>
}

export interface PeerRequestOptions {
  signal?: AbortSignal
}

/**
 * What other agents hold, asked of them directly. Bytes are as the peer sent them: nothing here verifies.
 * Every wait has a deadline of its own; errors are `PeerError`s whose `code` says what the peer did.
 */
export interface PeerContent {
  /** Peer ids in text form of those we are connected to and that speak the blob protocol. */
  neighbours (): string[]
  /** One `have?`; undefined when the peer has it not. @throws PeerError */
  have (peer: string, kind: ContentKind, digest: Digest, options?: PeerRequestOptions): Promise<Holding | undefined>
  /** @throws PeerError; `code` `PEER_MISSING`, `PEER_BUSY`, `PEER_DENIED`, `PEER_UNREACHABLE`, `PEER_STALLED`, `PEER_GONE`, `PEER_PROTOCOL` */
  read (peer: string, kind: ContentKind, digest: Digest, start: number, options?: PeerRequestOptions): Promise<ContentRead>
}

/** What this agent gives to other agents. Implemented by `src/pull`, which applies the sharing rule. */
export interface SharedContent {
  /** Undefined: missing. @throws ContentDeniedError when the sharing rule forbids it; the peer sees a refusal, never a reason to think it is here */
  open (kind: ContentKind, digest: Digest): Promise<SharedReader | undefined>
}

export interface SharedReader {
  readonly size: number
  readonly restricted: boolean
  /** Bytes `start` (inclusive) to `end` (exclusive), in chunks. */
  stream (span: { start: number, end: number }, options?: { signal?: AbortSignal }): AsyncIterable<Uint8Array>
  close (): Promise<void>
}

/** Content that can be given piece by piece. */
export interface SharedPieces extends SharedReader {
  /** Up to `buffer.length` bytes from `position`, at least one. */
  read (buffer: Uint8Array, position: number): Promise<number>
  /** SHA-256 of a span. */
  hash (span: { start: number, end: number }): Promise<Uint8Array>
  /** Hashes the whole again. False: it is not right, and is not here any more. */
  verify (): Promise<boolean>
}
