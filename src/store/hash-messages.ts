import type { DigestAlgorithm } from '../oci/digest.ts'

/** The unit of hashing and of the journal. */
export const HASH_BLOCK_BYTES = 1024 * 1024

/** To the worker. Offsets only ever grow within a job. */
export type HashRequest =
  | { readonly type: 'start', readonly job: number, readonly path: string, readonly algorithm: DigestAlgorithm }
  | { readonly type: 'advance', readonly job: number, readonly to: number }
  | { readonly type: 'finish', readonly job: number, readonly to: number, readonly ticket: number }
  | { readonly type: 'stop', readonly job: number }

/** From the worker, hashes in hex. `blocks`: of all bytes up to the end of block `first`, of the next, and so on. `digest`: of the bytes [0, to). */
export type HashReply =
  | { readonly type: 'blocks', readonly job: number, readonly first: number, readonly hexes: readonly string[] }
  | { readonly type: 'digest', readonly job: number, readonly ticket: number, readonly hex: string }
  | { readonly type: 'failed', readonly job: number, readonly code: string, readonly message: string }
