import { readSync } from 'node:fs'
import { HASH_BLOCK_BYTES } from './hash-messages.ts'

/** One for all that this thread hashes: it stays in the processor's cache. */
const buffer = Buffer.allocUnsafeSlow(HASH_BLOCK_BYTES)

/**
 * Some of the `length` bytes at `position`, at most a block, at least one; valid until the next call. `expected` is how far the file
 * should reach.
 * @throws Error when it ends before
 */
export function readHashBlock (fd: number, length: number, position: number, expected: number): Uint8Array {
  const bytesRead = readSync(fd, buffer, 0, Math.min(length, HASH_BLOCK_BYTES), position)
  if (bytesRead === 0) throw new Error(`file ends at ${position}, expected ${expected} bytes`)
  return buffer.subarray(0, bytesRead)
}

/** What is told of a failed read: errno, or `SHORT_READ`. */
export function hashFailure (error: unknown): { code: string, message: string } {
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'SHORT_READ'
  return { code, message: error instanceof Error ? error.message : String(error) }
}
