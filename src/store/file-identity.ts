import type { BigIntStats } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isMissing } from './fs-errors.ts'

/** What changes when a file is written, replaced or cut, whoever does it. Nanoseconds and inode as decimal text. */
export interface FileIdentity {
  readonly size: number
  readonly mtimeNs: string
  readonly ctimeNs: string
  readonly ino: string
}

export function identityOf (stats: BigIntStats): FileIdentity {
  return { size: Number(stats.size), mtimeNs: String(stats.mtimeNs), ctimeNs: String(stats.ctimeNs), ino: String(stats.ino) }
}

/** Undefined when there is no such file. */
export async function fileIdentity (path: string): Promise<FileIdentity | undefined> {
  try {
    return identityOf(await stat(path, { bigint: true }))
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

export function isSameFile (a: FileIdentity | undefined, b: FileIdentity): boolean {
  return a !== undefined && a.size === b.size && a.mtimeNs === b.mtimeNs && a.ctimeNs === b.ctimeNs && a.ino === b.ino
}
