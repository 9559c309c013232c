import { open, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { writing } from './fs-errors.ts'

/** Makes renames and new names in the directory survive a power cut. */
export async function syncDirectory (path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Replaces the file in one step: after a kill or a power cut it is the old one or the new one.
 * `temporary` is a path on the same file system, deleted when the write fails.
 * @throws StoreFullError, StoreUnwritableError
 */
export async function writeDurably (path: string, content: Uint8Array, temporary: string): Promise<void> {
  await writing(path, async () => {
    try {
      const handle = await open(temporary, 'w')
      try {
        await handle.writeFile(content)
        await handle.datasync()
      } finally {
        await handle.close()
      }
      await rename(temporary, path)
      await syncDirectory(dirname(path))
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  })
}
