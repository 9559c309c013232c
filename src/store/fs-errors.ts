import { ShoalError } from '../errors.ts'
import { StoreFullError, StoreUnwritableError } from './store-errors.ts'

const FULL = new Set(['ENOSPC', 'EDQUOT'])
const UNWRITABLE = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR', 'EEXIST', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'])

/** The `code` of an error of Node or of a library, if it has one. */
export function errorCode (error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}

export function isMissing (error: unknown): boolean {
  return errorCode(error) === 'ENOENT'
}

/** Names what a failed write means to the store; what has no such meaning is passed on as it is. */
export function asStoreError (error: unknown, path: string): Error {
  if (error instanceof ShoalError) return error
  const code = errorCode(error)
  if (code !== undefined && FULL.has(code)) return new StoreFullError(path, { cause: error })
  if (code !== undefined && UNWRITABLE.has(code)) return new StoreUnwritableError(path, { cause: error })
  return error instanceof Error ? error : new Error(String(error))
}

/** Runs a write to `path` and translates its failure. */
export async function writing<T> (path: string, write: () => Promise<T>): Promise<T> {
  try {
    return await write()
  } catch (error) {
    throw asStoreError(error, path)
  }
}
