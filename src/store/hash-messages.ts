import type { DigestAlgorithm } from '../oci/digest.ts'

/** The unit of hashing and of the journal. */
export const HASH_BLOCK_BYTES = 1024 * 1024

/** To the worker. Offsets only ever grow within a job. */
export type HashRequest =
  | { readonly type: 'start', readonly job: number, readonly path: string, readonly algorithm: DigestAlgorithm }
  | { readonly type: 'advance', readonly job: number, readonly to: number }
  | { readonly type: 'finish', readonly job: number, readonly to: number, readonly ticket: number }
  | { readonly type: 'stop', readonly job: number }

/** From the worker. `block`: all of block `index` was read. `digest`: of the bytes [0, to), and the CRC of the last, unfinished block. */
export type HashReply =
  | { readonly type: 'block', readonly job: number, readonly index: number, readonly crc32: number }
  | { readonly type: 'digest', readonly job: number, readonly ticket: number, readonly hex: string, readonly tailCrc32: number }
  | { readonly type: 'failed', readonly job: number, readonly code: string, readonly message: string }
