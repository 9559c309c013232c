import type { DigestAlgorithm } from '../oci/digest.ts'

/** The unit of hashing and of the journal. */
export const HASH_BLOCK_BYTES = 1024 * 1024

/** Bytes [start, end) of a file. */
export interface SpanHashRequest {
  readonly ticket: number
  readonly path: string
  readonly start: number
  readonly end: number
}

export type SpanHashResult =
  | { readonly ticket: number, readonly hex: string }
  | { readonly ticket: number, readonly code: string, readonly message: string }

/**
 * To the worker. Offsets only ever grow within a job. `rewind`: the bytes from `to` on change; what was hashed of those before is kept
 * for a new job `as` that takes the old one's place. `spans`: each to be hashed by itself, with SHA-256, before the jobs go on.
 */
export type HashRequest =
  | { readonly type: 'start', readonly job: number, readonly path: string, readonly algorithm: DigestAlgorithm }
  | { readonly type: 'advance', readonly job: number, readonly to: number }
  | { readonly type: 'finish', readonly job: number, readonly to: number, readonly ticket: number }
  | { readonly type: 'rewind', readonly job: number, readonly as: number, readonly to: number }
  | { readonly type: 'stop', readonly job: number }
  | { readonly type: 'spans', readonly spans: readonly SpanHashRequest[] }

/** From the worker about a job, hashes in hex. `blocks`: of all bytes up to the end of block `first`, of the next, and so on. `digest`: of the bytes [0, to). */
export type JobReply =
  | { readonly type: 'blocks', readonly job: number, readonly first: number, readonly hexes: readonly string[] }
  | { readonly type: 'digest', readonly job: number, readonly ticket: number, readonly hex: string }
  | { readonly type: 'failed', readonly job: number, readonly code: string, readonly message: string }

/** From the worker. `spans`: those that are done, in any order. */
export type HashReply = JobReply | { readonly type: 'spans', readonly results: readonly SpanHashResult[] }
