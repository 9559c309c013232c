import type { ByteTotals } from './byte-counters.ts'

/*
 * The admin API under /api/v1, as the server answers and the CLI reads it. JSON; unknown fields are to be tolerated.
 * Digests are whole, times milliseconds since the epoch, sizes bytes.
 */

/** `GET /api/v1/status`. */
export interface StatusAnswer {
  readonly peerId: string
  /** Multiaddrs other agents can dial. */
  readonly addresses: readonly string[]
  readonly version: string
  readonly uptimeMs: number
  /** Agents connected now. */
  readonly peers: number
  /** Blobs being fetched now. */
  readonly sessions: readonly SessionStatus[]
  readonly store: { readonly blobs: number, readonly bytes: number, readonly partials: number }
  readonly bytes: ByteTotals
  /** Keyed: only agents with the same pre-shared key can talk to this one. */
  readonly swarm: 'open' | 'keyed'
  readonly banned: readonly BannedPeer[]
}

export interface SessionStatus {
  readonly digest: string
  /** Absent until known. */
  readonly size?: number
  /** Bytes here already. */
  readonly received: number
  /** Requests waiting for it. */
  readonly callers: number
  readonly startedAt: number
}

interface BannedPeer {
  readonly peer: string
  readonly reason: string
  readonly until: number
}

/** `GET /api/v1/peers` answers a list of these. */
export interface PeerAnswer {
  readonly peer: string
  readonly addresses: readonly string[]
  readonly direction: 'inbound' | 'outbound'
  readonly connectedAt: number
  readonly rttMs?: number
  readonly bytesFrom: number
  readonly bytesTo: number
  readonly banned?: boolean
}

/** Body of `POST /api/v1/pull`. */
export interface PullRequest {
  readonly reference: string
  /** `os/arch` or `os/arch/variant`; `all` for every platform of an index. Absent: the agent's own. */
  readonly platform?: string
}

/** Bytes of one blob or image by where they came from. */
export interface BytesBySource {
  readonly fromPeers: number
  readonly fromOrigin: number
  /** Were here before. */
  readonly fromStore: number
}

/** `POST /api/v1/pull` answers one of these a line (application/x-ndjson). The last is `done` or `error`. */
export type PullEvent =
  | { readonly type: 'manifest', readonly reference: string, readonly digest: string, readonly mediaType: string, readonly stale?: boolean }
  | { readonly type: 'layer', readonly digest: string, readonly size: number, readonly mediaType: string }
  | { readonly type: 'progress', readonly digest: string, readonly received: number, readonly size: number } & BytesBySource
  | { readonly type: 'layer-done', readonly digest: string, readonly size: number, readonly durationMs: number } & BytesBySource
  | { readonly type: 'done', readonly digest: string, readonly size: number, readonly durationMs: number } & BytesBySource
  | { readonly type: 'error', readonly code: string, readonly message: string }
