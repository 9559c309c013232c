import type { DigestAlgorithm } from '../oci/digest.ts'

/** The unit of hashing and of the journal. */
export const HASH_BLOCK_BYTES = 1024 * 1024

/** To the worker. Offsets only ever grow within a job. */
export type HashRequest =
  | { readonly type: 'start', readonly job: number, readonly path: string, readonly algorithm: DigestAlgorithm }
  | { readonly type: 'advance', readonly job: number, readonly to: number }
  | { readonly type: 'finish', readonly job: number, readonly to: number, readonly ticket: number }
  | { readonly type: 'stop', readonly job: number }

/** From the worker, hashes in hex. `block`: of all bytes up to the end of block `index`. `digest`: of the bytes [0, to). */
export type HashReply =
  | { readonly type: 'block', readonly job: number, readonly index: number, readonly hex: string }
  | { readonly type: 'digest', readonly job: number, readonly ticket: number, readonly hex: string }
  | { readonly type: 'failed', readonly job: number, readonly code: string, readonly message: string }
